/* SPDX-License-Identifier: MIT */
/* The list of our servers becomes another one (dns_set_servers). */
#pragma once

/* THEORY OF OPERATION
 * The list may change at any time, for a laptop's network does. Whoever is
 * not in it any more has no say in what clients share, from that moment on:
 * no answer of his is taken, and what he said is not in the cache. Whose
 * answer is whose is not kept there (the list is one realm, upstream.h), so
 * when one is gone the realm's answers all go; when others only come, or the
 * order changes, they stay. What was said to clients of a server of their own
 * choice is apart, whether there is a list or not, and lives as long as it
 * says. Pins stay in any case: a name that had a HIP record must have one,
 * whoever says so; what only a client's server has said is never pinned.
 *
 * A question begins anew, as if it had come in just now, when it waits for
 * somebody who is gone or has heard him, when it waits for the validator (the
 * daemon gives it the new list, and what it knew goes), and when what its
 * client's own server says counts for what it did not, or the reverse: without
 * a list it counts for its clients, else for nothing or, where it is of the
 * list, for all. All else goes on: what was asked of who stays and what was
 * found in the cache, the client's own query to its
 * own server, and what waits for the daemon (a substitute, a mapping), whose
 * answers were good when they came. Our own probes, trials and refreshes end
 * with their server. Who waits and has asked nobody begins anew, too, for its
 * time runs: it follows another's question, which may begin anew with more
 * time, or end; or its last try came to nothing, and the next is not due yet.
 * The new ones are probed and tried as at the start, before all else.
 */
