/* SPDX-License-Identifier: MIT */
/* Obeys a plan, forwards or backwards, or prints it.
 *
 * THEORY OF OPERATION
 * Forwards, the first failure ends it: what is done stays, and both doing
 * it again and --undo are safe. Backwards, all is tried and the first
 * failure told at the end.
 */
#include "cmd/hipgate-setup/perform.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/hipgate-setup/remember.h"
#include "cmd/hipgate-setup/spawn.h"

#define FORWARDING6 "net/ipv6/conf/all/forwarding"

enum { SAID_MAX = 600, RULES_MAX = 1024 };

static bool tun_is_there(const struct perform *f)
{
	return if_nametoindex(f->c->tun) != 0;
}

/* ---- commands -------------------------------------------------------- */

/* done: output that means it needed no doing; *was_done then. */
static int command(struct perform *f, const char *text, const char *done,
		   bool *was_done)
{
	char said[SAID_MAX];
	int status;

	*was_done = false;
	if (spawn_run(text, &status, said, sizeof(said))) {
		(void)snprintf(f->err, sizeof(f->err),
			       "%s: cannot be run: %s%s", text, strerror(errno),
			       errno == ENOENT ? "; install iproute2" : "");
		return HG_ESYS;
	}
	if (status == 0)
		return HG_OK;
	if (done && strstr(said, done)) {
		*was_done = true;
		return HG_OK;
	}
	(void)snprintf(f->err, sizeof(f->err), "%s: exit status %d: %s", text,
		       status, said[0] ? said : "(it said nothing)");
	return HG_ESYS;
}

/* One that is there must be as we would have made it. */
static int tun_check(struct perform *f)
{
	char text[PLAN_TEXT];
	char said[SAID_MAX * 4];
	char user[80];
	int status;

	(void)snprintf(text, sizeof(text), "ip -d -j link show dev %s",
		       f->c->tun);
	(void)snprintf(user, sizeof(user), "\"user\":\"%s\"", f->c->user);
	if (spawn_run(text, &status, said, sizeof(said)) || status != 0) {
		(void)snprintf(f->err, sizeof(f->err), "%s failed", text);
		return HG_ESYS;
	}
	/* One link's JSON without blanks: the words are found as they are. */
	if (strstr(said, "\"info_data\":{\"type\":\"tun\"") &&
	    strstr(said, "\"vnet_hdr\":true") &&
	    strstr(said, "\"multi_queue\":true") && strstr(said, user))
		return HG_OK;
	(void)snprintf(f->err, sizeof(f->err),
		       "%s is there but is not a TUN with multi_queue and "
		       "vnet_hdr of user %s; remove it with \"hipgate-setup "
		       "--undo\", or set another name with tun = in [daemon]",
		       f->c->tun, f->c->user);
	return HG_EEXIST;
}

/* ---- sysctls --------------------------------------------------------- */

/* As sysctl(8) writes it: '/' and '.' change places. */
static const char *dotted(const char *path, char out[PLAN_PATH])
{
	size_t i;

	for (i = 0; path[i] && i < PLAN_PATH - 1; i++) {
		out[i] = path[i];
		if (path[i] == '/')
			out[i] = '.';
		else if (path[i] == '.')
			out[i] = '/';
	}
	out[i] = '\0';
	return out;
}

static int sysctl_file(const char *path, int flags)
{
	char file[PLAN_PATH + 16];

	(void)snprintf(file, sizeof(file), "/proc/sys/%s", path);
	return open(file, flags | O_CLOEXEC);
}

static int sysctl_read(const char *path, char out[REMEMBER_VALUE])
{
	int fd = sysctl_file(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return HG_ESYS;
	n = read(fd, out, REMEMBER_VALUE - 1);
	(void)close(fd); /* it was only read */
	if (n < 0)
		return HG_ESYS;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return HG_OK;
}

static int sysctl_write(struct perform *f, const char *path, const char *value)
{
	int fd = sysctl_file(path, O_WRONLY);
	char name[PLAN_PATH];
	ssize_t n = -1;
	int saved;

	if (fd >= 0)
		n = write(fd, value, strlen(value));
	saved = errno;
	if (fd >= 0)
		(void)close(fd); /* write has told already */
	if (n >= 0)
		return HG_OK;
	(void)snprintf(f->err, sizeof(f->err), "sysctl -w %s=%s: %s%s",
		       dotted(path, name), value, strerror(saved),
		       saved == EROFS ? "; /proc/sys is read-only here: set "
					"it from outside (docker: --sysctl)"
				      : "");
	return HG_ESYS;
}

static int sysctl_step(struct perform *f, const struct plan_step *s,
		       struct remember *r)
{
	char old[REMEMBER_VALUE];
	char name[PLAN_PATH];

	if (sysctl_read(s->path, old)) {
		(void)snprintf(f->err, sizeof(f->err),
			       "sysctl %s: cannot be read: %s",
			       dotted(s->path, name), strerror(errno));
		return HG_ESYS;
	}
	if (strcmp(old, s->value) == 0)
		return HG_OK;
	if (s->keep_old && remember_add(r, s->path, old)) {
		(void)snprintf(f->err, sizeof(f->err),
			       "%s: cannot be written: %s", r->file,
			       strerror(errno));
		return HG_ESYS;
	}
	return sysctl_write(f, s->path, s->value);
}

/* max(conf.all, conf.TUN) counts (kernel: ip-sysctl). */
static void rp_filter_warn(const struct perform *f)
{
	char all[REMEMBER_VALUE];

	if (sysctl_read("net/ipv4/conf/all/rp_filter", all) || all[0] != '1')
		return;
	(void)fprintf(stderr,
		      "hipgate-setup: warning: net.ipv4.conf.all.rp_filter=1 "
		      "overrules %s's 0: the kernel will drop DNS answers that "
		      "come in from %s; run: sysctl -w "
		      "net.ipv4.conf.all.rp_filter=2\n",
		      f->c->tun, f->c->tun);
}

static bool forwards(const struct plan *p)
{
	for (size_t i = 0; i < p->num; i++) {
		if (strcmp(p->step[i].path, FORWARDING6) == 0)
			return true;
	}
	return false;
}

/* The kernel forgets default routes of router advertisements at the moment
 * when forwarding begins, and hears no more of them, where accept_ra is 1.
 * line: of `ip route show default proto ra`. */
static void ra_warn_of(char *line)
{
	char path[PLAN_PATH];
	char accepts[REMEMBER_VALUE];
	char *dev = strstr(line, " dev ");

	if (!dev)
		return;
	dev += 5;
	dev[strcspn(dev, " ")] = '\0';
	if (snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", dev) >=
		    (int)sizeof(path) ||
	    sysctl_read(path, accepts) || strcmp(accepts, "1") != 0)
		return;
	(void)fprintf(stderr,
		      "hipgate-setup: warning: this machine has its IPv6 "
		      "default route from router advertisements on %s, which "
		      "the kernel no longer heeds once it forwards; first run: "
		      "sysctl -w net.ipv6.conf.%s.accept_ra=2\n",
		      dev, dev);
}

static void ra_warn(const struct plan *p)
{
	char said[SAID_MAX * 4];
	char on[REMEMBER_VALUE];
	char *next = said;
	char *line;
	int status;

	if (!forwards(p) || sysctl_read(FORWARDING6, on) ||
	    strcmp(on, "0") != 0 ||
	    spawn_lines("ip -6 route show default proto ra", &status, said,
			sizeof(said)) ||
	    status)
		return; /* there is no harm to warn of */
	while ((line = strsep(&next, "\n")))
		ra_warn_of(line);
}

/* It may come later, as bridges do; or nobody has edited the example. */
static void lan_warn(const struct config *c)
{
	for (size_t i = 0; c->proxy && i < c->lan_num; i++) {
		if (if_nametoindex(c->lan[i]) == 0)
			(void)fprintf(stderr,
				      "hipgate-setup: warning: lan = %s: there "
				      "is no such interface yet; \"ip -br "
				      "addr\" lists those there are\n",
				      c->lan[i]);
	}
}

/* ---- plans ----------------------------------------------------------- */

static void print_do(const struct plan_step *s)
{
	char name[PLAN_PATH];

	if (s->kind == PLAN_SYSCTL)
		(void)printf("sysctl -w %s=%s\n", dotted(s->path, name),
			     s->value);
	else if (s->text[0])
		(void)printf("%s\n", s->text);
}

static int step_do(struct perform *f, const struct plan_step *s,
		   struct remember *r)
{
	bool was_done;

	if (s->kind == PLAN_SYSCTL)
		return sysctl_step(f, s, r);
	if (!s->text[0])
		return HG_OK;
	if (s->kind == PLAN_TUN && tun_is_there(f))
		return tun_check(f);
	return command(f, s->text, s->done, &was_done);
}

int perform_do(struct perform *f, const struct plan *p)
{
	struct remember r;
	int err = HG_OK;

	if (!f->dry_run && remember_load(&r)) {
		(void)snprintf(f->err, sizeof(f->err), "%s: %s", r.file,
			       strerror(errno));
		return HG_ESYS;
	}
	ra_warn(p);
	lan_warn(f->c);
	if (!f->dry_run && !tun_is_there(f))
		remember_clear(&r); /* of a namespace that is no more */
	for (size_t i = 0; !err && i < p->num; i++) {
		if (f->dry_run)
			print_do(&p->step[i]);
		else
			err = step_do(f, &p->step[i], &r);
	}
	if (!err && !f->dry_run && p->num > 0)
		rp_filter_warn(f);
	return err;
}

static void print_undo(const struct plan_step *s, const struct remember *r)
{
	const char *old = remember_find(r, s->path);
	char name[PLAN_PATH];

	if (s->kind == PLAN_SYSCTL && old)
		(void)printf("sysctl -w %s=%s\n", dotted(s->path, name), old);
	else if (s->undo[0])
		(void)printf("%s%s\n", s->undo,
			     s->undo_all ? "   # until there is none" : "");
}

static int step_undo(struct perform *f, const struct plan_step *s,
		     const struct remember *r)
{
	const char *old = remember_find(r, s->path);
	bool was_done = false;
	int err;

	if (s->kind == PLAN_SYSCTL)
		return old ? sysctl_write(f, s->path, old) : HG_OK;
	if (!s->undo[0] || (s->kind == PLAN_TUN && !tun_is_there(f)))
		return HG_OK;
	err = command(f, s->undo, s->undone, &was_done);
	for (int i = 0; s->undo_all && !err && !was_done && i < RULES_MAX; i++)
		err = command(f, s->undo, s->undone, &was_done);
	return err;
}

int perform_undo(struct perform *f, const struct plan *p)
{
	char first[sizeof(f->err)] = "";
	struct remember r;
	int err = HG_OK;

	if (remember_load(&r)) {
		(void)snprintf(f->err, sizeof(f->err), "%s: %s", r.file,
			       strerror(errno));
		return HG_ESYS;
	}
	for (size_t i = p->num; i-- > 0;) {
		if (f->dry_run) {
			print_undo(&p->step[i], &r);
		} else if (step_undo(f, &p->step[i], &r) && !err) {
			err = HG_ESYS;
			memcpy(first, f->err, sizeof(first));
		}
	}
	if (err)
		memcpy(f->err, first, sizeof(f->err));
	else if (!f->dry_run)
		remember_clear(&r);
	return err;
}
