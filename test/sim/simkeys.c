/* SPDX-License-Identifier: MIT */
/* Keys of the simulated hosts: fixed, so that a seed repeats a run. They are
 * used nowhere else and protect nothing. */
#include "test/sim/simkeys.h"

#include <stdlib.h>
#include <string.h>

#include "hip/identity.h"

/* P-256 four times, P-384 twice, RSA-2048; the last one is the stranger's. */
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
