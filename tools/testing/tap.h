/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test Anything Protocol for C test programs:
 *
 *	#include "../tap.h"
 *
 *	int main(void)
 *	{
 *		tap_ok(1 + 1 == 2, "one and one make %d", 2);
 *		if (!have_it())
 *			tap_skip("three lines", "no such device here");
 *		return tap_done();
 *	}
 *
 * The plan (1..N) comes last, so a program that dies on the way prints none and
 * the runner counts that as a failure. All files of a program that include this share
 * its count.
 */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap_state {
	unsigned int run;
	unsigned int failed;
};

/* weak: one of them, however many files have it */
__attribute__((weak)) struct tap_state tap_state;

/* A test line that is a comment: detail for whoever reads the log */
__attribute__((format(printf, 1, 2), unused))
static void tap_diag(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/**
 * tap_ok_at() - one test result; use tap_ok(), which knows file and line
 * @ok: whether the test passed
 * @file: source file of the caller
 * @line: source line of the caller
 * @fmt: what was tested, as of printf(3)
 *
 * Return: @ok, so that a caller can stop or tell more.
 */
__attribute__((format(printf, 4, 5), unused))
static bool tap_ok_at(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	tap_state.run++;
	if (!ok)
		tap_state.failed++;
	printf("%sok %u - ", ok ? "" : "not ", tap_state.run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	/* at once: a later crash must not take this line along */
	fflush(stdout);
	if (!ok)
		tap_diag("at %s:%d", file, line);
	return ok;
}

#define tap_ok(ok, ...) tap_ok_at(!!(ok), __FILE__, __LINE__, __VA_ARGS__)

/* Two integers are equal; both are shown when not. Return: whether they are. */
#define tap_eq(got, want, ...) ({					\
	intmax_t __tap_got = (intmax_t)(got);				\
	intmax_t __tap_want = (intmax_t)(want);				\
	bool __tap_same = tap_ok(__tap_got == __tap_want, __VA_ARGS__);	\
									\
	if (!__tap_same)						\
		tap_diag("got %jd (%#jx), want %jd (%#jx)",		\
			 __tap_got, (uintmax_t)__tap_got,		\
			 __tap_want, (uintmax_t)__tap_want);		\
	__tap_same;							\
})

/* Two strings are equal; both are shown when not. Return: whether they are. */
#define tap_str(got, want, ...) ({					\
	const char *__tap_got = (got);					\
	const char *__tap_want = (want);				\
	bool __tap_same = tap_ok(__tap_got && __tap_want &&		\
				 !strcmp(__tap_got, __tap_want),	\
				 __VA_ARGS__);				\
									\
	if (!__tap_same)						\
		tap_diag("got \"%s\", want \"%s\"",			\
			 __tap_got ? __tap_got : "(null)",		\
			 __tap_want ? __tap_want : "(null)");		\
	__tap_same;							\
})

/**
 * tap_skip() - a test that cannot run here, which is not a failure
 * @what: what would have been tested
 * @reason: what is missing, in words
 */
__attribute__((unused))
static void tap_skip(const char *what, const char *reason)
{
	tap_state.run++;
	printf("ok %u - %s # SKIP %s\n", tap_state.run, what, reason);
	fflush(stdout);
}

/* The whole program cannot run here: print so and leave */
__attribute__((noreturn, unused))
static void tap_skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	fflush(stdout);
	exit(0);
}

/* A result that makes going on pointless: print so and leave */
__attribute__((format(printf, 1, 2), noreturn, unused))
static void tap_bail(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	exit(1);
}

/**
 * tap_done() - print the plan
 *
 * Return: exit status for main(): 0 when all passed, else 1.
 */
__attribute__((unused))
static int tap_done(void)
{
	printf("1..%u\n", tap_state.run);
	fflush(stdout);
	return tap_state.failed ? 1 : 0;
}

#endif
