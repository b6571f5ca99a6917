/* SPDX-License-Identifier: MIT */
/* Faults of this host: files, clock, device node, kernel settings, port. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>

#include "cmd/hipgate/doctor.h"
#include "cmd/hipgate/iproute.h"

/* No hipgate is older: 2026-01-01. */
#define TIME_LEAST 1767225600

enum { ROOM_LEAST = 16 << 20 /* octets */ };

void doctor_config(const struct doctor *d, struct doctor_finding *f)
{
	if (d->c) {
		doctor_say(f, DOCTOR_GOOD, "%s", d->path);
		return;
	}
	doctor_say(f, DOCTOR_FAULT, "%s", d->config_why);
	doctor_mend(f,
		    access(d->path, F_OK) == 0
			    ? "mend that line; \"hipgate check %s\" judges it"
			    : "make %s out of one of the examples beside "
			      "hipgate's documents, as README says; another "
			      "file: hipgate doctor --config FILE",
		    d->path);
}

/* ---- files ---------------------------------------------------------------------- */

/* False: there is no such user. */
static bool user_of(const struct config *c, uid_t *uid)
{
	const struct passwd *pw = getpwnam(c->user);

	if (pw)
		*uid = pw->pw_uid;
	return pw;
}

/* False: it is good. */
static bool key_fault(const struct config *c, const char *path,
		      struct doctor_finding *f)
{
	struct stat st;
	uid_t uid;

	if (stat(path, &st)) {
		doctor_say(f, DOCTOR_FAULT, "%s: %s", path, strerror(errno));
		doctor_mend(f,
			    errno == ENOENT ? "hipgate keygen %s"
					    : "look as root: sudo hipgate "
					      "doctor (%s)",
			    path);
		return true;
	}
	if (st.st_mode & 077) {
		doctor_say(f, DOCTOR_FAULT,
			   "%s: mode %04o: others than its owner can read it, "
			   "so hipgated does not start",
			   path, (unsigned)(st.st_mode & 07777));
		doctor_mend(f, "chmod 600 %s", path);
		return true;
	}
	if (user_of(c, &uid) && st.st_uid != uid) {
		doctor_say(f, DOCTOR_FAULT,
			   "%s: belongs to user %u, so hipgated, as %s, cannot "
			   "read it",
			   path, (unsigned)st.st_uid, c->user);
		doctor_mend(f, "chown %s: %s", c->user, path);
		return true;
	}
	return false;
}

void doctor_keys(const struct doctor *d, struct doctor_finding *f)
{
	const struct config *c = d->c;

	for (size_t i = 0; i < c->identity_num; i++) {
		if (key_fault(c, c->identity[i], f))
			return;
	}
	doctor_say(f, DOCTOR_GOOD, "%zu, their owner's alone", c->identity_num);
}

void doctor_state(const struct doctor *d, struct doctor_finding *f)
{
	const char *path = d->c->state;
	struct statvfs fs;
	struct stat st;
	uid_t uid;
	uint64_t room;

	if (!d->c->proxy) {
		doctor_say(f, DOCTOR_SKIP, "only the proxy role keeps state");
		return;
	}
	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		doctor_say(f, DOCTOR_FAULT, "state folder %s: %s", path,
			   S_ISDIR(st.st_mode) ? strerror(errno)
					       : "is not there");
		doctor_mend(f, "install -d -m 700 -o %s %s", d->c->user, path);
		return;
	}
	if (user_of(d->c, &uid) && st.st_uid != uid && uid != 0) {
		doctor_say(f, DOCTOR_FAULT,
			   "state folder %s belongs to user %u, not to %s",
			   path, (unsigned)st.st_uid, d->c->user);
		doctor_mend(f, "chown -R %s: %s", d->c->user, path);
		return;
	}
	if (statvfs(path, &fs)) {
		doctor_say(f, DOCTOR_SKIP, "%s: %s", path, strerror(errno));
		return;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= ROOM_LEAST) {
		doctor_say(f, DOCTOR_GOOD, "%s", path);
		return;
	}
	doctor_say(f, DOCTOR_FAULT,
		   "%s: %llu KiB are free: new names cannot be written down, "
		   "and are refused",
		   path, (unsigned long long)room / 1024);
	doctor_mend(f, "make room on that file system: df %s", path);
}

/* ---- clock ---------------------------------------------------------------------- */

void doctor_clock(const struct doctor *d, struct doctor_finding *f)
{
	struct timex t = { .modes = 0 };
	time_t now = time(NULL);

	(void)d; /* it is the host's */
	if (now < TIME_LEAST) {
		doctor_say(f, DOCTOR_FAULT,
			   "the clock stands in the year %ld: R1 counters and "
			   "DNSSEC need the time",
			   1970 + (long)now / 31556952);
		doctor_mend(f, "timedatectl set-ntp true");
	} else if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC)) {
		doctor_say(
			f, DOCTOR_NOTE,
			"nothing keeps it right; with dnssec = it should be");
		doctor_mend(f, "timedatectl set-ntp true");
	} else {
		doctor_say(f, DOCTOR_GOOD, "kept right");
	}
}

/* ---- device node ----------------------------------------------------------------- */

void doctor_node(const struct doctor *d, struct doctor_finding *f)
{
	static const char path[] = "/dev/net/tun";
	struct stat st;
	uid_t uid;

	if (!d->c->proxy && !d->c->host) {
		doctor_say(f, DOCTOR_SKIP, "this role has no TUN device");
		return;
	}
	if (d->status) {
		doctor_say(f, DOCTOR_GOOD, "the daemon has it open");
		return;
	}
	if (stat(path, &st)) {
		doctor_say(f, DOCTOR_FAULT, "%s: %s", path, strerror(errno));
		doctor_mend(f, "modprobe tun; in a container: --device %s",
			    path);
		return;
	}
	if ((st.st_mode & 06) != 06 &&
	    (!user_of(d->c, &uid) || (uid != 0 && st.st_uid != uid))) {
		doctor_say(f, DOCTOR_FAULT, "%s: mode %04o: %s cannot open it",
			   path, (unsigned)(st.st_mode & 07777), d->c->user);
		doctor_mend(f, "chmod 666 %s", path);
		return;
	}
	doctor_say(f, DOCTOR_GOOD, "%s", path);
}

/* ---- kernel settings --------------------------------------------------------------- */

/* -1: it is not there. */
static int setting(const char *family, const char *dev, const char *key)
{
	char path[128];
	char text[16];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s%s%s/%s", family,
		       dev[0] ? "/conf/" : "", dev, key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd); /* it was only read */
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return atoi(text);
}

/* The greater of the two counts (the kernel's ip-sysctl). */
void doctor_rp_filter(const struct doctor *d, struct doctor_finding *f)
{
	int all = setting("ipv4", "all", "rp_filter");
	int tun = setting("ipv4", d->c->tun, "rp_filter");

	if (!d->c->proxy || tun < 0) {
		doctor_say(f, DOCTOR_SKIP,
			   d->c->proxy ? "there is no TUN device"
				       : "no proxy role");
		return;
	}
	if ((all > tun ? all : tun) != 1) {
		doctor_say(f, DOCTOR_GOOD, "lets answers in from %s",
			   d->c->tun);
		return;
	}
	doctor_say(f, DOCTOR_FAULT,
		   "net.ipv4.conf.%s.rp_filter=1: the kernel drops DNS answers "
		   "and ICMP errors that come in from %s",
		   all == 1 ? "all" : d->c->tun, d->c->tun);
	if (all == 1)
		doctor_mend(f, "sysctl -w net.ipv4.conf.all.rp_filter=2");
	else
		doctor_mend(f, "sysctl -w net.ipv4.conf.%s.rp_filter=0",
			    d->c->tun);
}

/* The interface of the first default route; "": there is none. */
static void default_dev(const char *family, char out[IF_NAMESIZE])
{
	const char *words[] = { family, "route", "show", "default", NULL };
	const char *dev = NULL;
	json_t *routes = NULL;

	if (iproute(words, &routes) == HG_OK)
		dev = json_string_value(
			json_object_get(json_array_get(routes, 0), "dev"));
	(void)snprintf(out, IF_NAMESIZE, "%s", dev ? dev : "");
	json_decref(routes);
}

/* A kernel that forwards heeds router advertisements with accept_ra=2 only:
 * IPv6 may have gone when forwarding was switched on. */
static void judge_uplink(struct doctor_finding *f)
{
	char four[IF_NAMESIZE];
	char six[IF_NAMESIZE];

	default_dev("-6", six);
	default_dev("-4", four);
	doctor_say(f, DOCTOR_GOOD, "on");
	if (six[0] || !four[0] || setting("ipv6", four, "accept_ra") != 1)
		return;
	doctor_say(f, DOCTOR_NOTE,
		   "on, and there is no IPv6 default route: while it forwards, "
		   "the kernel hears no router advertisements on %s",
		   four);
	doctor_mend(f, "sysctl -w net.ipv6.conf.%s.accept_ra=2", four);
}

void doctor_forwarding(const struct doctor *d, struct doctor_finding *f)
{
	int six = setting("ipv6", "all", "forwarding");
	int four = setting("ipv4", "", "ip_forward");

	if (d->c->lan_num == 0) {
		doctor_say(f, DOCTOR_SKIP, "no lan =: nobody is forwarded for");
	} else if (d->c->pool6.len && six == 0) {
		doctor_say(f, DOCTOR_FAULT,
			   "IPv6 is not forwarded, so the LAN's packets do not "
			   "reach %s",
			   d->c->tun);
		doctor_mend(f, "sysctl -w net.ipv6.conf.all.forwarding=1");
	} else if (d->c->pool4.len && four == 0) {
		doctor_say(f, DOCTOR_FAULT,
			   "IPv4 is not forwarded, so the LAN's packets do not "
			   "reach %s",
			   d->c->tun);
		doctor_mend(f, "sysctl -w net.ipv4.ip_forward=1");
	} else if (six > 0) {
		judge_uplink(f);
	} else {
		doctor_say(f, DOCTOR_GOOD, "on");
	}
}

/* ---- port ---------------------------------------------------------------------------- */

static bool taken(uint16_t port)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is = fd >= 0 &&
		  bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) != 0 &&
		  errno == EADDRINUSE;

	if (fd >= 0)
		(void)close(fd); /* nothing was sent */
	return is;
}

void doctor_port(const struct doctor *d, struct doctor_finding *f)
{
	uint16_t port = d->c->port;

	if (d->status) {
		doctor_say(f, DOCTOR_GOOD, "UDP %u is the daemon's",
			   (unsigned)port);
	} else if (taken(port)) {
		doctor_say(f, DOCTOR_FAULT,
			   "UDP port %u is some other program's, or a hipgated "
			   "that listens elsewhere",
			   (unsigned)port);
		doctor_mend(f, "ss -ulpn sport = :%u", (unsigned)port);
	} else {
		doctor_say(f, DOCTOR_GOOD, "UDP %u is free", (unsigned)port);
	}
}
