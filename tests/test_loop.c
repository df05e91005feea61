/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/loop.h"
#include "tests/support.h"

static void signals_arrive_on_the_descriptor(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
	struct signalfd_siginfo info;
	int fd = aero_signals();

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < AERO_COUNT(signals); i++) {
		assert_int_equal(raise(signals[i]), 0);
		assert_int_equal(read(fd, &info, sizeof(info)), sizeof(info));
		assert_int_equal(info.ssi_signo, signals[i]);
	}
	/* Neither killed by it nor woken for it. */
	assert_int_equal(raise(SIGPIPE), 0);
	assert_int_equal(read(fd, &info, sizeof(info)), -1);
	(void)close(fd);
}

static void backoff_is_full_jitter_below_the_cap(void **state)
{
	static const struct {
		unsigned attempt;
		int64_t base, cap;
		uint64_t rnd;
		int64_t ms;
	} rows[] = {{0, 500, 30000, 0, 0}, {0, 500, 30000, 500, 500},
		{0, 500, 30000, 501, 0}, {3, 500, 30000, 4000, 4000},
		{3, 500, 30000, 4001, 0}, {6, 500, 30000, 30000, 30000},
		{6, 500, 30000, 30001, 0}, {4000000000u, 500, 30000, 30000, 30000},
		{70, 1, INT64_MAX, INT64_MAX, INT64_MAX}, {5, 0, 10, 7, 0},
		{2, 100, 50, 50, 50}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++)
		assert_true(aero_backoff_ms(rows[i].attempt, rows[i].base, rows[i].cap,
				    rows[i].rnd) == rows[i].ms);
}

static void random_numbers_differ(void **state)
{
	(void)state;
	assert_true(aero_random() != aero_random());
}

static void clocks_run(void **state)
{
	int64_t ms = aero_clock_ms();

	(void)state;
	assert_true(ms > 0 && aero_clock_ms() >= ms);
	assert_true(aero_unix_ms() > 1600000000000);
	assert_true(aero_unix_ns() / 1000000 - aero_unix_ms() < 1000);
}

/* Bind a datagram socket; abstract when the name begins with '@'. */
static int manager(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(strlen(name) < sizeof(at.sun_path));
	memcpy(at.sun_path, name, strlen(name));
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (const struct sockaddr *)&at,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					     strlen(name))),
		0);
	return fd;
}

static void the_manager_is_told_by_file_and_abstract_socket(void **state)
{
	char abstract[64], buf[64];
	const char *names[] = {NULL, abstract};

	(void)state;
	names[0] = test_path("notify");
	(void)snprintf(abstract, sizeof(abstract), "@aerostat-test-%d", (int)getpid());
	for (size_t i = 0; i < AERO_COUNT(names); i++) {
		int fd = manager(names[i]);
		ssize_t n;

		(void)setenv("NOTIFY_SOCKET", names[i], 1);
		aero_notify("READY=1");
		n = recv(fd, buf, sizeof(buf), 0);
		assert_int_equal(n, 7);
		assert_memory_equal(buf, "READY=1", 7);
		(void)close(fd);
	}
	/* No listener, no variable, an odd one: nothing happens. */
	aero_notify("READY=1");
	(void)setenv("NOTIFY_SOCKET", "relative", 1);
	aero_notify("READY=1");
	(void)unsetenv("NOTIFY_SOCKET");
	aero_notify("READY=1");
}

static void the_watchdog_is_fed_at_half_its_time(void **state)
{
	char own[16];
	const struct {
		const char *usec, *pid;
		int64_t ms;
	} rows[] = {{NULL, NULL, 0}, {"30000000", NULL, 15000}, {"30000000", own, 15000},
		{"30000000", "1", 0}, {"0", NULL, 0}, {"x", NULL, 0}, {"-5", NULL, 0},
		{"100", NULL, 1}};

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		(void)(rows[i].usec ? setenv("WATCHDOG_USEC", rows[i].usec, 1)
				    : unsetenv("WATCHDOG_USEC"));
		(void)(rows[i].pid ? setenv("WATCHDOG_PID", rows[i].pid, 1)
				   : unsetenv("WATCHDOG_PID"));
		assert_int_equal(aero_watchdog_ms(), rows[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_is_full_jitter_below_the_cap),
		cmocka_unit_test(random_numbers_differ),
		cmocka_unit_test(clocks_run),
		cmocka_unit_test(the_manager_is_told_by_file_and_abstract_socket),
		cmocka_unit_test(the_watchdog_is_fed_at_half_its_time),
		cmocka_unit_test(signals_arrive_on_the_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
