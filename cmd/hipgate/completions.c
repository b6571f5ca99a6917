/* SPDX-License-Identifier: MIT */
/* Completions and the manual's list of verbs, out of the verb table. */
/* THEORY OF OPERATION
 * A verb's synopsis is all there is to know: its words that begin with "--"
 * are options; a word FILE says that file names fit. Whatever is added to
 * the table is so completed and in the manual.
 */
#include "cmd/hipgate/completions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char separators[] = " []|.";

/* The next option in a synopsis, "--" on; NULL: none is left. *len: its
 * octets. *at goes on behind it. */
static const char *next_option(const char **at, size_t *len)
{
	const char *p = strstr(*at, "--");

	if (!p)
		return NULL;
	*len = strcspn(p, separators);
	*at = p + *len;
	return p;
}

static bool wants_file(const struct verb *v)
{
	return strstr(v->synopsis, "FILE") != NULL;
}

/* ---- bash ------------------------------------------------------------------ */

static void bash_verb(const struct verb *v)
{
	const char *at = v->synopsis;
	const char *p;
	size_t len;

	(void)printf("\t%s) words='", v->name);
	while ((p = next_option(&at, &len)))
		(void)printf("%.*s ", (int)len, p);
	(void)printf("' ;;\n");
}

static void bash(const struct verb *verbs, size_t num)
{
	(void)printf("# hipgate(1): completions for bash\n"
		     "_hipgate()\n{\n"
		     "\tlocal words=''\n\n"
		     "\tif ((COMP_CWORD == 1)); then\n\t\twords='");
	for (size_t i = 0; i < num; i++)
		(void)printf("%s ", verbs[i].name);
	(void)printf("'\n\telse\n\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < num; i++)
		bash_verb(&verbs[i]);
	(void)printf("\tesac\n\tfi\n"
		     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
		     "\"${COMP_WORDS[COMP_CWORD]}\")\n}\n"
		     "complete -o default -F _hipgate hipgate\n");
}

/* ---- zsh ------------------------------------------------------------------- */

static void zsh_verb(const struct verb *v)
{
	const char *at = v->synopsis;
	const char *p;
	size_t len;

	(void)printf("\t%s)\n\t\twords=(", v->name);
	while ((p = next_option(&at, &len)))
		(void)printf("%.*s ", (int)len, p);
	(void)printf(")\n\t\t%s;;\n", wants_file(v) ? "files=1 " : "");
}

static void zsh(const struct verb *verbs, size_t num)
{
	(void)printf("#compdef hipgate\n"
		     "# hipgate(1): completions for zsh\n"
		     "local -a verbs words\nlocal files=0\n\n"
		     "verbs=(\n");
	for (size_t i = 0; i < num; i++)
		(void)printf("\t'%s:%s'\n", verbs[i].name, verbs[i].summary);
	(void)printf(")\nlocal verb=$words[2]\n"
		     "if ((CURRENT == 2)); then\n"
		     "\t_describe verb verbs\n\treturn\nfi\n"
		     "case $verb in\n");
	for (size_t i = 0; i < num; i++)
		zsh_verb(&verbs[i]);
	(void)printf("esac\n((${#words})) && compadd -- $words\n"
		     "((files)) && _files\n");
}

/* ---- fish ------------------------------------------------------------------ */

static void fish_verb(const struct verb *v)
{
	const char *at = v->synopsis;
	const char *p;
	size_t len;

	(void)printf("complete -c hipgate -n __fish_use_subcommand -f -a %s "
		     "-d '%s'\n",
		     v->name, v->summary);
	while ((p = next_option(&at, &len)))
		(void)printf("complete -c hipgate -n "
			     "'__fish_seen_subcommand_from %s' %s-l %.*s\n",
			     v->name, wants_file(v) ? "" : "-f ", (int)len - 2,
			     p + 2);
}

static void fish(const struct verb *verbs, size_t num)
{
	(void)printf("# hipgate(1): completions for fish\n");
	for (size_t i = 0; i < num; i++)
		fish_verb(&verbs[i]);
}

/* ---- the manual ------------------------------------------------------------- */

/* scdoc(5): what would be markup is text. */
static void escaped(const char *text)
{
	for (; *text; text++) {
		if (strchr("*_\\#", *text))
			(void)putchar('\\');
		(void)putchar(*text);
	}
}

static void man(const struct verb *verbs, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		(void)printf("*%s* ", verbs[i].name);
		escaped(verbs[i].synopsis);
		(void)printf("\n\t");
		escaped(verbs[i].summary);
		(void)printf("\n\n");
	}
}

static const struct form {
	const char *name;
	void (*print)(const struct verb *verbs, size_t num);
} forms[] = {
	{ "bash", bash },
	{ "fish", fish },
	{ "man", man },
	{ "zsh", zsh },
};

int completions_print(const struct verb *v, int argc, char **argv)
{
	const struct verb *verbs;
	size_t num;

	if (argc != 2)
		return verb_usage(v);
	verbs = verb_all(&num);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].name, argv[1]) == 0) {
			forms[i].print(verbs, num);
			return VERB_OK;
		}
	}
	return verb_usage(v);
}
