# SPDX-License-Identifier: MIT
# Pure rooms compute: the symbols that their libraries leave undefined must
# be on this list. No socket, clock, file, thread or environment is. Sourced
# by run.sh.
# shellcheck shell=bash

# libc: memory, strings, text of numbers and addresses, sorting.
PURE_LIBC='mem(cpy|move|set|cmp|chr|rchr|mem)|explicit_bzero
malloc|calloc|realloc|reallocarray|aligned_alloc|free|abort
str(len|nlen|cmp|ncmp|casecmp|ncasecmp|chr|rchr|str|spn|cspn|dup|ndup|cpy|ncpy)
str(cat|ncat|pbrk|tol|toul|toll|toull|tok_r|sep)|stpcpy
(v|)s(n|)printf|(v|)asprintf|(__isoc99_|)sscanf
tolower|toupper|__ctype_(b|tolower|toupper)_loc
qsort|qsort_r|bsearch|abs|labs|inet_(pton|ntop)
(ceil|floor|log2|exp|pow)f?|__errno_location
__(mem|str|stp)[a-z]+_chk|__v?(s|sn|as)printf_chk
__cpu_model|__stack_chk_fail|__assert_fail|_GLOBAL_OFFSET_TABLE_'

# Each room's own libraries, by prefix; and what of them does I/O after all.
# shellcheck disable=SC2034
{
PURE_LIBS_core='sodium_[a-z0-9_]+|randombytes_[a-z0-9_]+|crypto_[a-z0-9_]+'
PURE_LIBS_hip="$PURE_LIBS_core"'
(EVP|OSSL|BN|EC|ECDSA|EC_[A-Z]+|ECPKPARAMETERS|PEM|BIO|OPENSSL|CRYPTO)_\w+
(HMAC|ASN1|X509|RAND|ERR|RSA|DH|i2d|d2i|o2i|i2o)_\w+'
PURE_LIBS_esp="$PURE_LIBS_hip"'
(alloc_mb_mgr|free_mb_mgr|init_mb_mgr_auto|imb_get_errno)'
PURE_LIBS_nat=$PURE_LIBS_core
PURE_LIBS_dns="$PURE_LIBS_core"'
ldns_\w+'
}
NOT_PURE='BIO_(new_file|s_file|new_fp|s_socket|s_connect|s_accept|s_fd|new_fd)
BIO_(new_socket|new_connect|new_accept|new_dgram|s_datagram)
(PEM|i2d|d2i)_\w+_fp|PEM_(read|write)_[A-Z]\w+|RAND_(load|write)_file
ldns_(resolver|tcp|udp|send|axfr)_\w+|ldns_\w+_fp(_l)?|ldns_get_rr_\w+'

one_pattern()
{
	printf '%s' "$*" | tr '\n' '|'
}

# ld decides what an archive still needs once core is beside it.
undefined_symbols()
{
	local room=$1 libs=("$BUILD/libhg_$1.a")

	[[ $room == core ]] || libs+=("$BUILD/libhg_core.a")
	comm -23 \
		<(nm -u "${libs[0]}" | awk 'NF == 2 { print $2 }' | sort -u) \
		<(nm --defined-only "${libs[@]}" |
			awk 'NF == 3 { print $3 }' | sort -u)
}

impure_symbols()
{
	local room=$1 own=PURE_LIBS_$1

	[[ -e $BUILD/libhg_$room.a ]] || {
		echo "$BUILD/libhg_$room.a is not built"
		return
	}
	undefined_symbols "$room" |
		grep -vxE "$(one_pattern "$PURE_LIBC")" |
		grep -vxE "$(one_pattern "${!own}")"
	undefined_symbols "$room" | grep -xE "$(one_pattern "$NOT_PURE")"
}
