/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the address sanitizer: bytes of a larger buffer that nobody may touch for now,
 * so that who reads a little too far in it is noticed. Otherwise nothing.
 */
#ifndef HIDE_H
#define HIDE_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define HIDE_WORKS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HIDE_WORKS
#endif
#endif

#ifdef HIDE_WORKS
#include <sanitizer/asan_interface.h>

static inline void hide(const void *p, size_t len)
{
	ASAN_POISON_MEMORY_REGION(p, len);
}

static inline void show(const void *p, size_t len)
{
	ASAN_UNPOISON_MEMORY_REGION(p, len);
}

#else

static inline void hide(const void *p, size_t len)
{
	(void)p;
	(void)len;
}

static inline void show(const void *p, size_t len)
{
	(void)p;
	(void)len;
}

#endif
#endif
