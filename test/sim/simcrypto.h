/* SPDX-License-Identifier: MIT */
/* What is dear in an engine, made cheap for most runs. */
/* THEORY OF OPERATION
 * Nine tenths of a run would be elliptic curves, and fresh memory for the
 * tables of spent puzzles. The linker puts these functions in the place of
 * a few of the engine's own (--wrap), and for a cheap run they
 *  - sign with a keyed hash of signer and data: only a signer's own call
 *    makes it, any other signer, data or length does not verify;
 *  - agree on a hash of both public values, which are random octets;
 *  - hand on the tables of spent puzzles, wiped.
 * A real run calls the true functions. Everything around them, formats,
 * MACs, encryption, KEYMAT, puzzles, is real in both.
 */
#pragma once

#include <stdbool.h>

void simcrypto_cheap(bool cheap);
void simcrypto_free(void);
