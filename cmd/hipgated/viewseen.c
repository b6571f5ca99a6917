/* SPDX-License-Identifier: MIT */
/* Metrics, health and log levels, as the control socket shows them. */
#include "viewseen.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "gate.h"
#include "jsonof.h"
#include "metrics.h"

json_t *viewseen_metrics(struct gate *g, const struct snapshot *s)
{
	struct procinfo p;
	struct textout t;
	json_t *o = NULL;

	(void)g; /* all is in s */
	textout_init(&t, METRICS_MAX);
	procinfo_look(&p);
	metrics_render(s, &p, &t);
	if (!t.full)
		o = json_pack("{s:s,s:s}", "type", METRICS_TYPE, "text", t.s);
	textout_fini(&t);
	return o;
}

json_t *viewseen_health(struct gate *g)
{
	return json_pack("{s:b,s:s}", "ready", (int)g->health.ready, "why",
			 g->health.looked ? g->health.why : "it is starting");
}

json_t *viewseen_log(struct gate *g)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < LOG_SUB_NUM; i++) {
		enum log_sub sub = (enum log_sub)i;
		enum log_level file = config_log_level(g->cfg, sub);

		(void)json_array_append_new(
			a, json_pack("{s:s,s:s,s:s}", "subsystem",
				     log_sub_name(sub), "level",
				     log_level_name(log_get_level(sub)),
				     "configured", log_level_name(file)));
	}
	return a;
}

/* ---- setting ------------------------------------------------------------------ */

static void list(char *out, size_t cap, const char *name)
{
	size_t used = strlen(out);

	(void)snprintf(out + used, cap - used, "%s%s", used ? ", " : "", name);
}

static bool find_level(const char *name, enum log_level *out, char *errbuf,
		       size_t errlen)
{
	char all[128] = "";

	for (unsigned i = 0; i < LOG_LEVEL_NUM; i++) {
		*out = (enum log_level)i;
		if (name && strcmp(name, log_level_name(*out)) == 0)
			return true;
		list(all, sizeof(all), log_level_name(*out));
	}
	(void)snprintf(errbuf, errlen, "no level \"%s\"; there are: %s",
		       name ? name : "", all);
	return false;
}

/* LOG_SUB_NUM: all of them. */
static bool find_sub(const char *name, enum log_sub *out, char *errbuf,
		     size_t errlen)
{
	char all[128] = "all";

	for (unsigned i = 0; i < LOG_SUB_NUM; i++) {
		*out = (enum log_sub)i;
		if (name && strcmp(name, log_sub_name(*out)) == 0)
			return true;
		list(all, sizeof(all), log_sub_name(*out));
	}
	*out = LOG_SUB_NUM;
	if (name && strcmp(name, "all") == 0)
		return true;
	(void)snprintf(errbuf, errlen, "no subsystem \"%s\"; there are: %s",
		       name ? name : "", all);
	return false;
}

int viewseen_set_log(struct gate *g, const json_t *req, json_t **data,
		     char *errbuf, size_t errlen)
{
	const char *sub_text =
		json_string_value(json_object_get(req, "subsystem"));
	const char *level_text =
		json_string_value(json_object_get(req, "level"));
	enum log_sub sub;
	enum log_level level;

	if (!find_sub(sub_text, &sub, errbuf, errlen) ||
	    !find_level(level_text, &level, errbuf, errlen))
		return HG_EINVAL;
	for (unsigned i = 0; i < LOG_SUB_NUM; i++)
		if (sub == LOG_SUB_NUM || sub == i)
			log_set_level((enum log_sub)i, level);
	log_info("event=log-level subsystem=%s level=%s", sub_text, level_text);
	*data = viewseen_log(g);
	return HG_OK;
}
