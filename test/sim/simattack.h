/* SPDX-License-Identifier: MIT */
/* What somebody on the path sends who has no key of any host. */
#pragma once

#include "test/sim/simnet.h"

/* One packet: of what he has heard, again, changed, cut, put together anew
 * or signed with a key of his own. Whether it may have an effect is for the
 * laws to say (simlaw.h), not for him. */
void simattack(struct sim *s);
