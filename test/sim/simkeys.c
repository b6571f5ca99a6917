/* SPDX-License-Identifier: MIT */
/* Keys of the simulated hosts: fixed, so that a seed repeats a run. They are
 * used nowhere else and protect nothing. */
#include "test/sim/simkeys.h"

#include <stdlib.h>
#include <string.h>

#include "hip/identity.h"

/* P-256 four times, P-384 twice, RSA of 2048, 3072 and 4096 bits; the last
 * one is the stranger's. */
static const char *const pem[] = {
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZP5HvsqqPYCIPxvL\n"
	"ZmlueXVd4IhEODuAImmozH1Tc2GhRANCAARqzgcHJZTe3Yq/T+uUXYoxzIcvmOyC\n"
	"wpEj9kiKxKze0zNGRT/x9jUmbVQg3pgovVqQN0eQkbxuPbH4wp14xjcq\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgA0vmiBSbeKZFAJNi\n"
	"BCfHPUq8XbUlqtOf/xdi9jeNQBihRANCAAS8SbogBNTTXX211dUm0k89S2BdfZ9S\n"
	"W1gxzsCJoGXioM17GYKDAIdXNiPcjPzWKDDAz3KXH9IyI795BSfXOXlt\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgX1dPkzaTeHdlegWv\n"
	"D4QV9CLT/N1AzCiblzUbH+tQeFihRANCAARaMLGoks3ZoJcmXG+3wXds0Zjnef2U\n"
	"0Tt4vRoIulCRfy5RW4JZSJzB3+pKaQBgFxw3Zztut3ODOgxJ3BqEj8Pp\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgR7Rs6fyPA4/uA074\n"
	"CHLjVlA4XV3kSSQJ3zLBbKyrHcahRANCAASb7Me4G8n0jcOOIdHHvDHswN5sRQrm\n"
	"K5QLV8JCOwY2pNn/6fRcl96pW8yI3SbQiQAfI4QUlwjSXk4Kr0/FOVT6\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAKnkfwv1YgDk0KmqkK\n"
	"NUyY4QtAPaCdCbUaAfkKEan/TWakc1NBIMB+CMDqern9WmChZANiAASm5LoRjEaR\n"
	"O2ny6ikVYtAIwRVrCSjZxX1ys9k6RYNJwzUSpMQd+nGNEykG9BD0qyodT76rLDvt\n"
	"0J+t0DdU0NiC3dDg/o0e1b4i4k6R25nX9l46leFn427+nvPWzNue+s8=\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDfIbu50ImqIhAIaDmy\n"
	"0A6DYcrBvmSJ2Xg0npF5Mlof9EENZ26qCwXK2gKlWgjXPlWhZANiAAQ1nVTxT7x6\n"
	"Vq1YqIGmaPD/+fs8I585Ekb/5k+bqCBx+W9IF+y2m8q1RUXY++wPhlZz+nz6jigq\n"
	"mNHRzt88+rQGz04VTx2BuWyU3sZ/hHbo1a4crU7R8BbwXG8WS11/01o=\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCz7w8WWs4XxiWS\n"
	"Jboh/q6x8wKIIMhoUM/o8UJjmL/QbPx5zrwtAkHc+m4wqcuVQu86Q6+JlJTrCv39\n"
	"54cTDvZVjsbhZTClMmtBNHVatY8wkpt5j2bDOvxLuQR6vcT69xBwnQOmZm0gMmBd\n"
	"N8r0L8jwQ1M9U4SiFro2vaytB7JVQ2meH2MgR6v9exEl+9dhw+1FJmELbpU/h0dq\n"
	"K06EUgnzI8U9l4gtwRXtx8wa42gnQQQuJP5qgmSf39LDlQc51YwIL5O9CH6yhRGf\n"
	"HVDEdJyhpFkbdmHB6Vnu2cnnrpLZHRhzHUp5bbiu/Uvz6gSfKUb0ikQjuf7s7d82\n"
	"lMwQbL/DAgMBAAECggEAS72uqSdSJ5nGCO4Omu69FLUJdMnv8lFKI3EjFA+hdpfZ\n"
	"82A9v+h6Vw2nwp5Gzy7cyrbhNlWwFfyLjAygxDoBIWS3fPt+bZt6oHj3iVZxzu13\n"
	"usTNahLzTuCz7QLi3w2PAwhlF+93shziiXrJ2N4ghFqiuGbmpuBQRGi1PiTGQbMp\n"
	"F8LkBVmuIKDGQWMEA6XPvw7OLMxDk6W3jVK1IT+pbTn/zK5Y9/awIDtej2bOjkB+\n"
	"J58FkAV5l4w8cFkr0jLlnDqCJORKgKYqyvfXQftd9iCayR5578CSdRQt+LtVChxu\n"
	"Cw5M4Gh5x7oRjn+tPk4ocFH7UkIot8z0gBsYKRYI8QKBgQDZNawj1uQ3xszjPYI/\n"
	"nhmvT1wxCOZ2f9Xxgvf04WIncOhGw/GGjTRYcXfwFeG55/KjyaYh8f0ula96Qhnk\n"
	"qi4e2kvHn5LAcIS4yGsVWglSA0ST6uiguOO41vOKUewXqNUu+vh+BEaOH0wTYssc\n"
	"EqIpH0MwT67PhbA71v/ksls26wKBgQDUETiJTxIJ1k+vVL+WDPn9B/Hy8/L9x1rk\n"
	"m0MaWV6HssLud0pAaTMIPA3yiykG8UNd83BdVCl5qTecpDWZs0DxYI5a+Q0vTdhp\n"
	"iBmr0p/tOQsfEQJteBh+Ns3l3C5G1mb/Zu+ZPHgX0tnh0u4xMzwG/cLfVwNtcq0r\n"
	"IqLZR3YUiQKBgQConKuGHriGO8Ks3ACR1e7mUdqlDd2pO08e7aYB6DvDljgZRt3k\n"
	"rxRlW5/ZNYNGRzHpxw056Jm7YeMYKtviz+CBfr+4tLy8uhutPZcyufPmQDcqA/6V\n"
	"VTEhOWtQgoudSihDEft4B2WlydHKcrRslGJhPa1wgUqYOZU2vo1iQLniBQKBgFk9\n"
	"wffuYV3oZPIYjOMdJNo5TLT7ucbX7MUFHXDqKOCb9nIZmxKN8p7Ffu0RaLt2Le5M\n"
	"cn2j3CxJbJCrfa7ngy3QfzeDVOwSKz8Fuh/Xa9uNRMPXCZl9j3kVoQHY7VR8By31\n"
	"aGCo1LTZ0zy34eqsb9dVVHteB6A4QO1FDxi2fNdZAoGAQBLmCB/vIq72Gxql+lxM\n"
	"96o/iOu+zGNlo3dAaW+82G5sOcunuMvE1Y4iNSonwXLPbnPTbaMB/KWHaOLTSMya\n"
	"VbVabmC1jXgF8LQqbZfcJz0o732XbJNitWsBwt5SaHBYSeV0dDejLBQQLiFlh5l+\n"
	"NRpEXuJqGtyUd1T/CS2mesE=\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIG/QIBADANBgkqhkiG9w0BAQEFAASCBucwggbjAgEAAoIBgQCoHiK+2ZQwa1O2\n"
	"B5Fz826QvSiFKbN9j24V0LaiTg7nexGWzabipho2n3SXFikf/b3BFWhmVGMJzF/j\n"
	"aKdUY1Vv8GZahBlKSpYvso0Uq24mpX2ZvEVKmecxOlpZsnm0Qdc4kSVnnwLjTFlG\n"
	"ocdEc/UaW2vNbvLpKE8klTgSEfeyYoa/24mKks4dHU3TsMY5x5GZz2ucZIspRUvG\n"
	"PqBD9ZwBb4GB/io9cQ8dOOD6bpaxqCOYDg8H89+tToMGLlOhJe0OTi3ZlqSvqcjZ\n"
	"RaqnoYbeAYmVa5kHQeBfn+NpO/eNhPD5+hbitCvf+EoqJ4H7csLfpRP9EdAlWsSS\n"
	"YzA/qjiozUZD3+Y+fmfPrKH9/WxKriRUBUfOERy/gCbRQG2P+HmI2SgNJNk42HZf\n"
	"C5fOKb84bTawUtJgjCRevMuiblZvJQUb+0XarySU0lg/X7ixr5OvrYLWMTp9XA6S\n"
	"T0WiZwrpOO55apSoiGA1QfQ0x4HeufzrXCRG7l44b7XWmj4lBCcCAwEAAQKCAYBL\n"
	"jXOG+og29Fzj/uW2ys1DHcdShOmlwWozQp95NIRNMkk20Qgxbn10U9fVOH/V4TZA\n"
	"SksnRcBWfHMRY4xjh9qzGkIdZqVo9jkliWQOyHYRxyi5iNtJCf5U6MkG64b3Y+mB\n"
	"gfVh6pulI8AxVm4TjNs3c6NwaO6gqt1abvcKY+nB0LaHDXX0AULA4dUCkDydZdtA\n"
	"2O8fEy5ZJ0vE9YsXz47DNGXq0hsQjrlApDmzQjTV9V69rH/Dzq0UmSaYBgTOdJim\n"
	"4QUcWLPkYvu7v5fQtJ6z+YhRg5WO2edQlYhbJmugVz3exf+1dbQmXVn8nQvK9LmX\n"
	"ZMCXWZTIQgkZSw1DRAGtnYNTpcNgw63BQ4TlbzHYu3c7/trNWCxpswMRNyw1y6Bn\n"
	"SrSjNb8gkcTHdb0vgZE+4UbOo5bOf9kbEmy43cgas5StICBHUmnatoRJIgxaWkuO\n"
	"DooYmlT8prkS18iKDbfSGRIIbAW4m4otj0YYaL00imbwpm/aQ9hRchJ5ddAjPLEC\n"
	"gcEA7BX0zea19RiLwG5Wdl1Hh2RnkCq8zKKOmOQmUaRb7QT0w1rlXbcRmkbmVLPU\n"
	"ZFZa3/vpZzsZcZU+pRBEddMt3RjxDb8fA+x7AX5i/Pdfxcxk/kjW4Mk1OjXWtSBw\n"
	"oH77SN9kRRvM8zMjJN+7vvWYjzMO4WI/90LfN3UwELfWED4cQsovsXmoGTdEnNCP\n"
	"LTQgmxpYhYoiM/Nzv6n2NRAiPZU3MzKJ/MO7YFqIZz8459UyKbcVbsrnj4ztm8i+\n"
	"ICg3AoHBALZMeaZahxA113W87BGfwvOBiaeFJMkj8tn7p87szdsD76CVFJslL0V7\n"
	"+8c9f2AGhzXh83kY5cDS+sQQ8tW5UyjawZTX89F88UTrTbcuJrMsKNnvivztNu1c\n"
	"G37VSAD8Z8lG+v02ucGq/3gxUjzNy/BsPuLhR2T/7khGLf3PeUT/kvYaWWcGRR5I\n"
	"AxEa49JmaDd6A4ajnOrj8RcJDBVM+9Z8y+i5LUo4Z8Cb0kiqBHyZ6k/oO9l5shw2\n"
	"Nm9S8bsrkQKBwBPe1TfvTylN45VStBxKRZbzsHPF5RYkKHRd34vHlaUhYah/ogZ9\n"
	"PhIKHaDLcfjv+74WadKyerXApgEmmVyBZb7SNpe9mlKuOLwrcxFvkLQJPAbbAprw\n"
	"1HYNygB8tn4LsgK0KrBWYq2lhDO6UQcFjM2gsoPtzQx2qGr2hhEiJ/Y+BArrEZCS\n"
	"eL+Gk1PPif14AbaMRR8YPUC6IOfk2kAlF3yvbnH0swB/SOoXNJvcCmIY45v3OOqW\n"
	"UV8XsXgHMVlriQKBwQCt1v+qw2lI7A8rF52GsPMXgs/iD/WkWcOcW38KtIcZ9Abu\n"
	"+ztLN4p8mF7hAKQWziLiHzYupK9z0b2QexkW9kN3EiTH66d2fc8WCc1ygXAmLFZI\n"
	"fUXtK8jVUKBnsruXNRtDtYxjK2y4Ynh8BYyGrzlra84MTQfoKKbyBPqWruLWCWH7\n"
	"jeTzeecvmTxTc3ENktqPDKuQGTXqSLP/Y4FCTsdZImjQ5MVroZ5O7kj5QihFKgFn\n"
	"ce6g1Iwkmw4N2urpsgECgcBuurHfchb8GxATRTiGLEaNPuZaMLukUAgF0rykpK7n\n"
	"p8BG4T/8EW+JgDdvlTOEiLXEUjdF94aTJORXw7JEaxmR6Yin1IoDeDBylEjT2m9D\n"
	"1W0JDnnpxa1JSXnNE6c1cXQ2KYKEMMr7GbGLYFjeK9nNlqmNIT8zw1oWFEsWax6M\n"
	"6/S8yK3H2MOFJfs1EIJIr4Yz3Fo+UtIJC1y3t7iAFQijo0XHe2Jmx8/RMTpTIvbu\n"
	"KP/esX7/rQ4EYANe2wRXRLM=\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIJQgIBADANBgkqhkiG9w0BAQEFAASCCSwwggkoAgEAAoICAQCXIDNQcW95qbvA\n"
	"nFPeLoeFOfhhL9L1i32XKsW1sNJkpTMDkzTYu0ovfs4QeaFet/m9BwHA4KzBPbVR\n"
	"QAJzO7qxrgDgXxskK68rJmYHE74/s57iwkUETJnuHvml528b5slPNBtLpBtN6PdH\n"
	"wQOnIYIYJJ95bRaI2kkAvyfolH9LIKZtMOqZFwfvGoZBeu60FZv85smjhlw4319X\n"
	"m0994F/j41Vg0h28FgAvAdfzL74ISU8QEpFoYG4TLc4lUSR4iyGM98p4HxMTBSdD\n"
	"/SKGhRoj+fY/6bf/dBXdQYmi9pVY93F8YvHoIjJFfjsil3/X8MHOUPqi5AFNEcvz\n"
	"gyVYBPjDFeUNnmTte40qdRb/EaYguDIWoDh50NNIYK9k3tZXDLYZA4r/UEm3TIJU\n"
	"QnYSFsrkxnKusPGpB94zj3cwJmEBEnG4vfJ1L8QLwqzTK1+vZVSinTLVLlDNlWss\n"
	"peZqD4s16j4h2eem6XdlLcDb27Y1j1odyWBjhwuHrmhBiZFKoSWIaDCCj3F9SD83\n"
	"bj27+HgSpiH/lwl7a0NGjoBDM1d9hLE79LjP9Jqt1YuTCOldvpcX/czfcRVeTV65\n"
	"myn/S58ua6aOVsI21Ea8D9HNQIGbijmRCs9m/QNGy+5QzrApt7XlLqEknvRj78Op\n"
	"Z+Yd5JIdsLc6GH4DTWaenHZOg6NkkQIDAQABAoICAACMIO9zx7r1tMzC7DFX8wz2\n"
	"G6qTcyTJSW5KnP52Wl67s/J5fiWiUQeYwpuP6zgV+8E15SlbDvkgtXdKv2+GKfwS\n"
	"hKWLZqRkBZ2HBTPVnBjsOEE7Qad9NQoGIfKaQt5joLtJFae5m5E1zK59ehtI/WkD\n"
	"ufGlReF/Q+gtKRJ4NjlSEBRBavocuZ5BtvaGANcVZHQfLGALoKoikfx13yz2Kva+\n"
	"+CxSeoHXxQ6mh68Vb09ln5QP8yehAMkQP4jGUVbf7yJM8/ZpK2ckW8Ls5+r7kK+M\n"
	"bFpJKQ3TcHBVmE9nK/2PYOF51MU52XuDtGhgytlgAX2zMKM2JvSN4dKbGR+nXfTK\n"
	"goKMU/Ryo9Bzn2SiUTb888pmvC1BGT9y4R0jMUZjJUIYhrxxALuPgyWG89oCEi/G\n"
	"LEkzs2iHlpdTs+0pxQhTAz8WBnriHbaZEFnLQvFP53M9FLPfIkNKwKVq6LXmDI0T\n"
	"BEQzkwkl6/xBshVMJCVhFDW+3CgrS4oG5iU2WBhhZ6dWTVQR7wESJoHQtjzCK+47\n"
	"muQyjJHwoMlHxmqqvzj1a9a5y1K2c8m/TtOjaUT85yfleQD92DBltt04/04q4zg4\n"
	"5iEhxcClMMbtAjdH52b9hLsMUnBXu2fT3aZSFN3tkkwSwisxhYwLvMNAMa5pVE+g\n"
	"1Oe1n2Fl2UfkHLcDZ4Q5AoIBAQDNoGMqSfiqbhCPYTy+I2jMpysS6bXvwncMDKro\n"
	"N5PBPwHr2Jqr0mA3XOozT4Et8zc2GID/5/Cni+aCdfQ+UYC2hxK9yDdY31YPd3IC\n"
	"IdZH+rVJhV68tq1xMHGvP+nCjvOFvs3tsi6sf8EwJSWNRouI/+w+dPbDJHme67JB\n"
	"gPP5yNRu6U6mj3rlcjqmDjdglxroBzo+PNUwq8ms5GTBM08Bat2ZsA4V5DSECC6u\n"
	"KeS8+Sy9Y4fJcRGq6nzXNJsOEhEGrXTCEBdo3XakmevpManftnDwD/JHOcKeUITz\n"
	"f2Yj99c8QTb/I0/iWATGvyXGPzWiHMKe/NsxBRdyeugdSe95AoIBAQC8Jd39eJ61\n"
	"EYWKv1K/hRXV8UMmOvW7DC7ihVH3QPxE+OtgrKGWZKsSxApfoHmJUsoo49E6ScZm\n"
	"ZHToEFeZqTc+lkl/wbqz38K/QwN7wiZj168DIDw/lAEef9aKIHCnF1uHUJV559md\n"
	"ewVC7/l34hgOEzRMVtXVEXETetJtV/LlVj2pBhf91TKdfilv1Gt7gAJangRdxLUd\n"
	"GDF1JUzyU/OU4i7Cg49KJ1zFO7t0DnGs7/a027KtyG/J8LuiXHoBjHUGxH3ZTYKQ\n"
	"kS8AkTcVmR+4kEPFkDr2fyxCq8ADbjneuOkVkXRcjtCchfGEPehVn+1uJWjALn9a\n"
	"mrKNfZ+zBd/ZAoIBAQCktAl6QBHsAYlGL27GJfq1olkAJy9RwoQ0pJjotEuniF5z\n"
	"mOYbJsFm1wfI3a/tLFlW/T2mvROoQIj8ipp+qC3fBkZeuVaL2yhF7zjkuFG5CfnX\n"
	"z/pYUkKO3WzSIPGOo44v3Ot5rzVvek010StJA+6UZ9nFFU7qc/bu8n+vtCi4NMLj\n"
	"rAERrO+VhW+wvsZgmeg1XkSqwXNKLu+1iqOhlQV9byndBoXhxw7BiwRJAMl1DGln\n"
	"sad8FRM/wd8JSdvA43u7y4gwQU9e8bUslxW9jcgxpyLDRyKbJora4Ef9+lfIC6bd\n"
	"Xqc8qf48oKACyezp5IuDNGI3kvXHR/rF+eiePTCRAoIBAFb6hoJ8NZptbDf1NLLX\n"
	"On36F9nfneQHwND1YywTvcvA60d45waYqUF2oXkNvcHPJSf8EaiJnI+PV0BE9cpS\n"
	"oPhtD7NhAwfOpMA4oa6f1ZGIjx6500BtEotf+/VFA+8q7CRFC6Ucmsyjp44HVGOo\n"
	"gQhYtm+oIRhsBMNFn2vvIZoF4WF3MLYmzkxim5NYNwwT5IKx1EDpA/VcTtjiEo1g\n"
	"ZBXq7kT7/s0AH3IKqCEB4GlbUcjQW+zc4VkQ0h0/9SMsJJmpUqiXnYlppLn1Z+qz\n"
	"LCftgXceszNrHTIBJjYvyc792rse0BVN7IC/pyREXljfIystXhyiIjvnki246pAf\n"
	"YhkCggEATtWD0n36Tt9Ao/9GqyCaAJFD53zo+wWYn9FHWPqmNo70DuaeH62l6RQU\n"
	"6Pj10chhPi9zS/b/FVORbf9Vkbp3RmrmcqLVedirpIU2lAK/9N99VRleqcR7GFWw\n"
	"yEQ0BII8qsLwjM8hXfFSkJaYc4gas3o7vKpen5XX+H49+Z0lAdBh5zZxO40FKyui\n"
	"Kn7J8evoX0j+dxiIJxa135ExQou31UpIOA2jFKGHrDR+FL82kI1v/FvqDUabZTeW\n"
	"gJTayfExMQuqnwOgO+pFz1FVdlhnbtZZkGoq9f4bjpp2vNMyterggj5SruWcUUGU\n"
	"bfn2/MCx1a1hT4rI1/KkVyezb2fgWA==\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+H3a5n3la5CiGpjY\n"
	"QJoZH9PlNSCwM5U7HOTRCsyWUeWhRANCAAQ5x2wHxTR49flXij2FHT7Ja8QMxwUj\n"
	"RHbgPOlTWMdkUj+uDI0a6VVtyIBZ/XbksHMjNrT3cFL5Xq+lA9G4AyvL\n"
	"-----END PRIVATE KEY-----\n",
};
#define PEM_NUM (sizeof(pem) / sizeof(pem[0]))

static struct hip_identity *key[PEM_NUM];
static size_t num;
static struct hip_identity *stranger;

bool simkeys_load(void)
{
	bool has[HIP_ALG_NUM] = { false };

	for (size_t i = 0; i + 1 < PEM_NUM; i++) {
		/* Not of an algorithm this build has: left out. */
		if (hip_identity_from_pem(pem[i], strlen(pem[i]), &key[num]))
			continue;
		has[hip_identity_alg(key[num++])] = true;
	}
	for (int alg = 0; alg < HIP_ALG_NUM; alg++) {
		if (!has[alg])
			return false;
	}
	return hip_identity_from_pem(pem[PEM_NUM - 1], strlen(pem[PEM_NUM - 1]),
				     &stranger) == HG_OK;
}

void simkeys_free(void)
{
	while (num)
		hip_identity_free(key[--num]);
	hip_identity_free(stranger);
	stranger = NULL;
}

size_t simkeys_num(void)
{
	return num;
}

struct hip_identity *simkeys_take(size_t i)
{
	return identity_ref(key[i]);
}

const struct hip_identity *simkeys_stranger(void)
{
	return stranger;
}
