// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest's memory is a file of the guest, which can be made shorter at any
 * time. A look behind its new end is a SIGBUS, in the middle of whatever the
 * device does there. The handler puts zeroed memory of this process into the
 * place of what is missing, so that the access ends, and notes it; the transport
 * then drops the guest. Nothing that the device did with the zeros reaches anybody.
 *
 * A system call that gets such an address fails with EFAULT instead.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#include "sigbus.h"

#define MAX_WATCHED	64	/* windows of a vfio-user client are that many */

struct watched {
	uintptr_t base;
	size_t len;		/* 0: free */
	size_t page;
};

/* A signal handler has no argument of its own, so this is one of the few states without owner */
static struct {
	struct watched map[MAX_WATCHED];
	volatile sig_atomic_t hit;
} guard;

static const struct watched *find(uintptr_t addr)
{
	for (int i = 0; i < MAX_WATCHED; i++) {
		const struct watched *w = &guard.map[i];

		if (w->len && addr - w->base < w->len)
			return w;
	}
	return NULL;
}

static void on_sigbus(int sig, siginfo_t *si, void *context)
{
	uintptr_t addr = (uintptr_t)si->si_addr;
	const struct watched *w = find(addr);

	(void)context;
	if (w) {
		uintptr_t at = w->base + (addr - w->base) / w->page * w->page;
		void *to = (void *)at;

		/* the file is cut from here on: all of the rest goes, so that this happens once */
		if (mmap(to, w->base + w->len - at, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == to) {
			guard.hit = 1;
			return;
		}
	}
	/* not the guest's doing: die of it when the access is tried again */
	signal(sig, SIG_DFL);
}

/**
 * sigbus_init() - Install the handler
 *
 * Return: false with errno set.
 */
bool sigbus_init(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	return !sigaction(SIGBUS, &sa, NULL);
}

/**
 * sigbus_watch() - Guard a mapping
 * @base: its address
 * @len: its bytes, whole pages
 * @page: bytes of the pages that it is made of, which cannot be replaced in part
 *
 * Return: false when there are too many.
 */
bool sigbus_watch(void *base, size_t len, size_t page)
{
	for (int i = 0; i < MAX_WATCHED; i++) {
		if (guard.map[i].len)
			continue;
		guard.map[i].base = (uintptr_t)base;
		guard.map[i].page = page;
		guard.map[i].len = len;
		return true;
	}
	return false;
}

/**
 * sigbus_forget() - Stop guarding, before the mapping goes
 * @base: address given to sigbus_watch(); another is ignored
 */
void sigbus_forget(void *base)
{
	for (int i = 0; i < MAX_WATCHED; i++)
		if (guard.map[i].base == (uintptr_t)base)
			guard.map[i].len = 0;
}

/**
 * sigbus_hit() - Has guest memory been found missing since the last call?
 */
bool sigbus_hit(void)
{
	bool hit = guard.hit;

	guard.hit = 0;
	return hit;
}
