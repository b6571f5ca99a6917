# SPDX-License-Identifier: MIT
# Contenders: tunnels in user space that others have made. Sourced by
# test/bench after contenders.sh, which says what up_NAME does.
# shellcheck shell=bash disable=SC2153
#
# All run as root, with what their authors set where nothing is said here.
# Their MTU is what fits into 1500 octets with IPv6 outside, their cipher
# AES-128-GCM if they have it; each says in a remark what it is.

outer()
{
	if [[ $1 == px ]]; then echo "$PX_6"; else echo "$FIX_6"; fi
}

other()
{
	if [[ $1 == px ]]; then echo fix; else echo px; fi
}

# behind NODE: whose end of the pair that is.
behind()
{
	if [[ $1 == px ]]; then echo lh1; else echo fix; fi
}

# far CONTENDER NODE: what that node reaches through the tunnel.
far()
{
	host "$1" "$(behind "$(other "$2")")"
}

# ---- wireguard-go ------------------------------------------------------------

# A device's control socket has its name and is seen in all namespaces.
wireguard_set()
{
	local node=$1 dir=$DEMO_DIR/wireguard there

	there=$(other "$node")
	wg set "$NS_PREFIX-wg-$node" listen-port 7103 \
		private-key "$dir/$node" peer "$(wg pubkey <"$dir/$there")" \
		allowed-ips "$(far wireguard-go "$node")" \
		endpoint "[$(outer "$there")]:7103"
}

up_wireguard_go()
{
	local program node dir=$DEMO_DIR/wireguard

	needs wg && program=$(newer wireguard-go wireguard-go) || return
	remark wireguard-go "$(version_of wireguard-go "$program");$(
		) ChaCha20-Poly1305, MTU 1420"
	install -d -m 700 "$dir"
	for node in px fix; do
		wg genkey >"$dir/$node"
		spawn "$node" "wireguard-go-$node" env LOG_LEVEL=error \
			"$program" -f "$NS_PREFIX-wg-$node"
		device "$node" "$NS_PREFIX-wg-$node" 1420 || return
	done
	for node in px fix; do
		wait_for 10 "wireguard-go's control socket on $node" \
			wireguard_set "$node" || return
	done
	carry wireguard-go "$NS_PREFIX-wg-px" "$NS_PREFIX-wg-fix"
}

# ---- fastd -------------------------------------------------------------------

fastd_config()
{
	local node=$1 dir=$DEMO_DIR/fastd there

	there=$(other "$node")
	cat <<-END
	mode tun;
	interface "fastd";
	mtu 1428;
	method "aes128-gcm";
	log level warn;
	bind [$(outer "$node")]:7104;
	secret "$(awk '/^Secret/ { print $2 }' "$dir/$node.key")";
	peer "$there" {
		key "$(awk '/^Public/ { print $2 }' "$dir/$there.key")";
		remote [$(outer "$there")]:7104;
	}
	END
}

up_fastd()
{
	local node dir=$DEMO_DIR/fastd

	needs fastd || return
	remark fastd "$(version_of fastd fastd); AES-128-GCM, MTU 1428"
	install -d -m 700 "$dir"
	for node in px fix; do
		fastd --generate-key >"$dir/$node.key" 2>/dev/null || return
	done
	for node in px fix; do
		fastd_config "$node" >"$dir/$node.conf"
		spawn "$node" "fastd-$node" fastd -c "$dir/$node.conf"
		device "$node" fastd 1428 || return
	done
	carry fastd fastd fastd
}

# ---- nebula ------------------------------------------------------------------

# Inside it is IPv4 only. Its ends have addresses of its own network, and the
# pair is what each certificate lets its end route ("unsafe").
nebula_address()
{
	local end=1

	[[ $1 == px ]] || end=2
	echo "10.$(number_of nebula).0.$end"
}

nebula_certificate()
{
	local cert=$1 node=$2 dir=$DEMO_DIR/nebula mine

	mine=$(host nebula "$(behind "$node")")
	(cd "$dir" && "$cert" sign -name "$node" -subnets "$mine" \
		-ip "$(nebula_address "$node")/24" \
		-out-crt "$node.crt" -out-key "$node.key") >&2
}

nebula_config()
{
	local node=$1 dir=$DEMO_DIR/nebula there

	there=$(other "$node")
	cat <<-END
	pki: {ca: $dir/ca.crt, cert: $dir/$node.crt, key: $dir/$node.key}
	static_host_map:
	  "$(nebula_address "$there")": ["[$(outer "$there")]:7105"]
	lighthouse: {am_lighthouse: false}
	listen: {host: "$(outer "$node")", port: 7105}
	cipher: aes
	tun:
	  dev: nebula
	  mtu: 1420
	  unsafe_routes:
	    - {route: $(far nebula "$node"), via: $(nebula_address "$there")}
	logging: {level: warning, format: text}
	firewall:
	  outbound: [{port: any, proto: any, host: any}]
	  inbound: [{port: any, proto: any, host: any}]
	END
}

up_nebula()
{
	local program cert node dir=$DEMO_DIR/nebula

	program=$(newer nebula nebula) && cert=$(newer nebula nebula-cert) ||
		return
	remark nebula "$(version_of nebula "$program"); AES-256-GCM, IPv4 $(
		)inside, MTU 1420"
	install -d -m 700 "$dir"
	(cd "$dir" && "$cert" ca -name bench) >&2 || return
	for node in px fix; do
		nebula_certificate "$cert" "$node" || return
		nebula_config "$node" >"$dir/$node.yml"
		spawn "$node" "nebula-$node" "$program" \
			-config "$dir/$node.yml"
		device "$node" nebula 1420 || return
	done
	carry nebula nebula nebula
}

# ---- strongSwan, ESP in its own threads (kernel-libipsec) --------------------

charon_config()
{
	local dir=$DEMO_DIR/charon

	cat <<-END
	charon-systemd {
		load = random nonce openssl kdf kernel-libipsec \
			kernel-netlink socket-default vici
		plugins {
			vici {
				socket = unix://$dir/$1.vici
			}
		}
		journal {
			default = -1
		}
		filelog {
			stderr {
				default = 0
			}
		}
	}
	END
}

swanctl_config()
{
	local node=$1 there mine theirs

	there=$(other "$node")
	mine=$(network strongswan "$(behind "$node")")
	theirs=$(network strongswan "$(behind "$there")")
	cat <<-END
	connections {
		bench {
			version = 2
			local_addrs = $(outer "$node")
			remote_addrs = $(outer "$there")
			proposals = aes128gcm16-prfsha256-x25519
			encap = yes
			local {
				auth = psk
				id = $node
			}
			remote {
				auth = psk
				id = $there
			}
			children {
				bench {
					local_ts = $mine
					remote_ts = $theirs
					esp_proposals = aes128gcm16
				}
			}
		}
	}
	secrets {
		ike {
			secret = "not a secret, no"
		}
	}
	END
}

swan()
{
	local dir=$DEMO_DIR/charon

	"$DEMO_DIR/bin/swanctl" "${@:2}" --uri "unix://$dir/$1.vici" >&2
}

# It takes only networks in which its host has an address, so px gets one. It
# reads no more than 1400 octets, whatever the device's MTU is.
# Copies are run: a profile of the machine that goes by path would keep them
# out of our directory.
up_strongswan()
{
	local node dir=$DEMO_DIR/charon

	needs charon-systemd swanctl || return
	[[ -e /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so ]] || {
		echo "strongSwan has no kernel-libipsec here" >&2
		return 1
	}
	remark strongswan "$(version_of strongswan-swanctl swanctl), $(
		)kernel-libipsec; AES-128-GCM, MTU 1400"
	install -d -m 700 "$dir"
	install -m 755 "$(command -v charon-systemd)" \
		"$(command -v swanctl)" "$DEMO_DIR/bin"
	for node in px fix; do
		charon_config "$node" >"$dir/$node.strongswan"
		swanctl_config "$node" >"$dir/$node.swanctl"
		spawn "$node" "charon-$node" env \
			STRONGSWAN_CONF="$dir/$node.strongswan" \
			"$DEMO_DIR/bin/charon-systemd"
		device "$node" ipsec0 1400 || return
		wait_for 10 "charon on $node" swan "$node" --load-all \
			--file "$dir/$node.swanctl" || return
	done
	carry strongswan ipsec0 ipsec0 || return
	address px ipsec0 "$(inner strongswan lh1 2)"
	wait_for 20 "strongSwan's association" \
		swan px --initiate --child bench --timeout 5
}
