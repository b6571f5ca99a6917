/* SPDX-License-Identifier: MIT */
/* Log levels and [http]: what is taken, and what is refused. */
#include "cmd/config/config.h"

#include <stdio.h>

#include "test/unit/config/parse_bed.h"

#define D "[daemon]\nidentity = k\n"
#define H "[host]\n[http]\n"

START_TEST(subsystems_have_levels_or_that_of_all)
{
	struct config *c = parse_ok(D "log = warn\nlog-level = dns debug\n"
				      "log-level = hip \t error\n[host]\n");

	ck_assert_int_eq(config_log_level(c, LOG_SUB_DNS), LOG_LEVEL_DEBUG);
	ck_assert_int_eq(config_log_level(c, LOG_SUB_HIP), LOG_LEVEL_ERROR);
	ck_assert_int_eq(config_log_level(c, LOG_SUB_ESP), LOG_LEVEL_WARN);
	config_free(c);
}
END_TEST

static const char *const bad_levels[] = { "dns",	   "dns loud",
					  "dsn debug",	   "debug dns",
					  "dns debug now", "dnsdebug",
					  "dn debug" };

START_TEST(a_level_is_a_subsystem_and_a_word)
{
	char text[128];
	char message[256];

	(void)snprintf(text, sizeof(text), D "log-level = %s\n[host]\n",
		       bad_levels[_i]);
	(void)snprintf(message, sizeof(message),
		       "f:3: bad value \"%s\" for log-level: expected a "
		       "subsystem (control, dns, hip, esp, nat, tun, path, "
		       "journal or http) and error, warn, info or debug",
		       bad_levels[_i]);
	refused(text, message);
}
END_TEST

START_TEST(a_subsystem_has_one_level)
{
	refused(D "log-level = dns debug\nlog-level = dns info\n[host]\n",
		"f:4: log-level = dns info is there already; remove one");
}
END_TEST

START_TEST(nothing_listens_unless_it_is_said)
{
	struct config *c = parse_ok(D "[host]\n");

	ck_assert_uint_eq(c->http.listen.port, 0);
	ck_assert_str_eq(c->http.path, "");
	config_free(c);
	refused(D H, "f:4: [http] has no listen; add listen = with "
		     "ADDRESS:PORT with an IPv6 address in [], or the absolute "
		     "name of a socket of at most 107 octets");
}
END_TEST

START_TEST(loopback_and_sockets_are_taken)
{
	struct config *c = parse_ok(D H "listen = [::1]:9464\n"
					"host = Gw.Example\nhost = gw\n");

	ck_assert_uint_eq(c->http.listen.port, 9464);
	ck_assert_uint_eq(c->http.host_num, 2);
	ck_assert_str_eq(c->http.host[0], "gw.example");
	config_free(c);
	c = parse_ok(D H "listen = /run/hipgate/http.sock\n");
	ck_assert_str_eq(c->http.path, "/run/hipgate/http.sock");
	config_free(c);
	config_free(parse_ok(D H "listen = 127.8.8.8:1\n"));
}
END_TEST

#define FAR(at)                                                                \
	"f:4: listen = " at " is not on loopback, and what is there is "       \
	"neither encrypted nor asks who reads: name 127.0.0.1, [::1] or a "    \
	"socket, or say remote = yes"

START_TEST(others_are_refused_unless_it_is_said)
{
	refused(D H "listen = 192.0.2.1:9464\n", FAR("192.0.2.1:9464"));
	refused(D H "listen = 0.0.0.0:9464\n", FAR("0.0.0.0:9464"));
	refused(D H "listen = [::]:9464\nremote = no\n", FAR("[::]:9464"));
	config_free(parse_ok(D H "listen = 192.0.2.1:9464\nremote = yes\n"));
	config_free(parse_ok(D H "listen = [::]:9464\nremote = yes\n"));
}
END_TEST

static const char *const bad_listens[] = { "127.0.0.1", "localhost:9464",
					   "[ff02::1]:80", "9464",
					   "run/http.sock" };

START_TEST(a_listener_is_an_address_with_a_port_or_a_file)
{
	char text[128];
	char message[256];

	(void)snprintf(text, sizeof(text), D H "listen = %s\n",
		       bad_listens[_i]);
	(void)snprintf(message, sizeof(message),
		       "f:5: bad value \"%s\" for listen: expected "
		       "ADDRESS:PORT with an IPv6 address in [], or the "
		       "absolute name of a socket of at most 107 octets",
		       bad_listens[_i]);
	refused(text, message);
}
END_TEST

START_TEST(a_host_is_a_name)
{
	refused(D H "listen = [::1]:1\nhost = a b\n",
		"f:6: bad value \"a b\" for host: expected a host name of "
		"letters, digits, '.' and '-', at most 95 octets");
}
END_TEST

Suite *test_config_seeing_suite(void);
Suite *test_config_seeing_suite(void)
{
	Suite *s = suite_create("config_seeing");
	TCase *t = tcase_create("all");

	tcase_add_test(t, subsystems_have_levels_or_that_of_all);
	tcase_add_loop_test(t, a_level_is_a_subsystem_and_a_word, 0,
			    sizeof(bad_levels) / sizeof(bad_levels[0]));
	tcase_add_test(t, a_subsystem_has_one_level);
	tcase_add_test(t, nothing_listens_unless_it_is_said);
	tcase_add_test(t, loopback_and_sockets_are_taken);
	tcase_add_test(t, others_are_refused_unless_it_is_said);
	tcase_add_loop_test(t, a_listener_is_an_address_with_a_port_or_a_file,
			    0, sizeof(bad_listens) / sizeof(bad_listens[0]));
	tcase_add_test(t, a_host_is_a_name);
	suite_add_tcase(s, t);
	return s;
}
