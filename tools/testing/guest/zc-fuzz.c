// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-fuzz - do with the user interface whatever comes to mind:
 *
 *	zc-fuzz -i eth0 --seconds 60 --seed 1
 *
 * Two processes at a time live for a moment each. Their threads register interface queues, rightly and
 * wrongly; submit receives and what gets into their way; map, unmap and protect; write garbage to rings
 * and indices; pass descriptors on; give rights up; and end in the middle of it. A third process changes
 * the interface. Senders from elsewhere are expected at ports 9997 to 9999, whose flows
 * come to queues 1 to 3; what is sent over loopback comes besides.
 *
 * Nothing is expected of any call but a number that makes sense, and of a refusal a sentence that is in
 * the table of Documentation/uapi.rst. The kernel's log is for others to judge. At the end all kinds
 * of things have to have happened, or the run has not shown anything.
 *
 * What somebody does follows from the seed; who is faster does not.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "zc-fuzz.h"

#define PLACES		2u
#define LIFE_MS		1500u
/* Who takes longer than that to come to an end never will */
#define HANG_MS		120000u

__thread sigjmp_buf fz_jump;
__thread volatile bool fz_guarded;
__thread const char *volatile fz_doing = "waits for its threads";

static const char *const call_names[FZ_CALLS] = {
	[FZ_SETUP] = "io_uring_setup",
	[FZ_ENTER] = "io_uring_enter",
	[FZ_IFQ] = "register interface queue",
	[FZ_CTRL] = "control interface queue",
	[FZ_BUFFERS] = "register buffers",
	[FZ_UNBUFFERS] = "unregister buffers",
	[FZ_FILES] = "register files",
	[FZ_REGISTER] = "register others",
	[FZ_CLOSE] = "close",
	[FZ_DUP] = "dup",
	[FZ_PASS] = "pass over a socket",
	[FZ_MMAP] = "mmap",
	[FZ_MUNMAP] = "munmap",
	[FZ_MREMAP] = "mremap",
	[FZ_MPROTECT] = "mprotect",
	[FZ_MADVISE] = "madvise",
	[FZ_FORK] = "fork",
	[FZ_SOCKET] = "socket, connect, accept",
	[FZ_SEND] = "send, recv",
	[FZ_SHUTDOWN] = "shutdown",
	[FZ_EVENTFD] = "register eventfd",
	[FZ_CAPSET] = "give up capabilities",
	[FZ_FDINFO] = "read fdinfo",
};

static const char *const op_names[FZ_OPS] = {
	[FZ_OP_RECV_ZC] = "receives",
	[FZ_OP_RECV_ZC_BROKEN] = "receives with a wrong field",
	[FZ_OP_CANCEL] = "cancellations",
	[FZ_OP_TIMEOUT] = "time limits",
	[FZ_OP_POLL] = "polls",
	[FZ_OP_CLOSE] = "closes",
	[FZ_OP_OTHER] = "others",
};

static const char *const entry_names[FZ_ENTRIES] = {
	[FZ_E_SANE] = "given back as announced",
	[FZ_E_TWICE] = "of pieces that may be given back already",
	[FZ_E_IN_REGION] = "anywhere in the region",
	[FZ_E_OUTSIDE] = "outside of it",
	[FZ_E_REGION] = "of another region",
	[FZ_E_PAD] = "with padding",
	[FZ_E_GARBAGE] = "garbage",
};

static const char *const event_names[FZ_EVENTS] = {
	[FZ_LIVES] = "processes",
	[FZ_KILLED] = "of them killed",
	[FZ_EXECS] = "ended by exec",
	[FZ_INDICES] = "indices and entries overwritten",
	[FZ_TAKEN] = "refill entries that the kernel was seen to take",
	[FZ_BAD] = "refill entries that it was seen to refuse",
	[FZ_BYTES] = "bytes received",
	[FZ_ZC_BYTES] = "of them seen to be without a copy",
	[FZ_COPIED_BYTES] = "of them seen to be copied",
	[FZ_PIECES] = "pieces announced",
	[FZ_FAULTS] = "accesses to what was unmapped",
	[FZ_LINK] = "times the link down and up",
	[FZ_XDP] = "XDP programs",
	[FZ_AF_XDP] = "AF_XDP sockets",
	[FZ_SELF] = "processes that unmapped what they needed themselves",
	[FZ_PEERS] = "connections of the peer",
	[FZ_LINEAR_BYTES] = "bytes seen to be copied out of packet heads",
	[FZ_FOREIGN_BYTES] = "... out of other pages",
	[FZ_SPARE_BYTES] = "... out of spare pages",
};

/* Completions of receives that have to have come, besides bytes */
static const int soon[] = { EINVAL, ENOBUFS, ECANCELED, ENOTSOCK, EPROTONOSUPPORT, EBADF, ENOTCONN };

/**
 * fz_add() - count
 * @f: all
 * @what: counter in @f->s
 * @n: how many
 */
void fz_add(const struct fz *f, uint64_t *what, uint64_t n)
{
	(void)f;
	__atomic_fetch_add(what, n, __ATOMIC_RELAXED);
}

/**
 * fz_count() - count a call and how it ended
 * @f: all
 * @kind: which
 * @ret: what it returned; errno is looked at if that is negative
 *
 * Return: @ret; errno is as it was.
 */
long fz_count(const struct fz *f, enum fz_call kind, long ret)
{
	int err = ret < 0 ? errno : 0;

	if (err < 0 || err >= FZ_ERRNOS) {
		fz_fail(f, "%s ended with errno %d", call_names[kind], err);
		err = 0;
	}
	__atomic_fetch_add(&f->s->calls[kind][err], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&f->s->total, 1, __ATOMIC_RELAXED);
	errno = err;
	return ret;
}

/**
 * fz_fail() - something is wrong; the first one who says so is heard
 * @f: all
 * @fmt: what, as of printf(3)
 */
void fz_fail(const struct fz *f, const char *fmt, ...)
{
	va_list ap;

	if (__atomic_fetch_add(&f->s->failed, 1, __ATOMIC_ACQ_REL))
		return;
	va_start(ap, fmt);
	vsnprintf(f->s->failure, sizeof(f->s->failure), fmt, ap);
	va_end(ap);
}

/**
 * fz_now_ms() - the time
 *
 * Return: milliseconds since boot.
 */
uint64_t fz_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/**
 * fz_nap() - sleep
 * @us: microseconds
 */
void fz_nap(uint32_t us)
{
	const struct timespec ts = { us / 1000000, (long)(us % 1000000) * 1000 };

	nanosleep(&ts, NULL);
}

static struct fz *the_fz;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (fz_guarded) {
		fz_add(the_fz, &the_fz->s->events[FZ_FAULTS], 1);
		siglongjmp(fz_jump, 1);
	}
	/* two threads that unmap at once may hit what is behind: code, stack, the library's memory */
	(void)sig;
	(void)info;
	fz_add(the_fz, &the_fz->s->events[FZ_SELF], 1);
	_exit(0);
}

static unsigned int missing(const struct fz *f, bool tell);

/* A machine that is busy has some longer to get to everything */
static bool more_to_do(const struct fz *f, uint64_t end_ms)
{
	uint64_t entries = 0, longer = 3000ull * f->seconds * f->slow;

	if (__atomic_load_n(&f->s->failed, __ATOMIC_ACQUIRE))
		return false;
	if (fz_now_ms() >= end_ms && (fz_now_ms() >= end_ms + longer || !missing(f, false)))
		return false;
	for (unsigned int i = 0; i < FZ_ENTRIES; i++)
		entries += f->s->entries[i];
	return (!f->calls && !f->entries) || f->s->total < f->calls || entries < f->entries;
}

struct place {
	pid_t pid;
	uint64_t kill_ms;
	uint64_t hang_ms;
	bool killed;
};

static pid_t spawn(const struct fz *f, const char *what)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fz_fail(f, "no process for a %s: %s", what, strerror(errno));
	return pid;
}

static void begin(const struct fz *f, struct place *p, struct rng *rng)
{
	unsigned int ms = rng_below(rng, LIFE_MS);
	uint64_t seed = rng_next(rng), now = fz_now_ms();

	p->killed = false;
	p->kill_ms = rng_one_in(rng, 3) ? now + ms : UINT64_MAX;
	p->hang_ms = now + ms + HANG_MS * f->slow;
	p->pid = spawn(f, "life");
	if (!p->pid)
		_exit(fz_live(f, seed, ms + (p->kill_ms == UINT64_MAX ? 0 : 1000)));
	fz_add(f, &f->s->events[FZ_LIVES], 1);
}

/* Said by the thread that is asked; the system call it was in ends, which is as well by then */
static void on_question(int sig)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "# thread %d: %s\n", gettid(), fz_doing);

	(void)sig;
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(1);
}

/* What each thread of a process is about. Stacks in the kernel would be better, but User Mode Linux
 * shows none.
 */
static void ask_threads(pid_t pid)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			syscall(SYS_tgkill, pid, atoi(d->d_name), SIGUSR2);
	if (dir)
		closedir(dir);
	fz_nap(100000);
}

/* Not in the middle of a fork(2), see fuzz-world.c */
static void kill_one(const struct fz *f, struct place *p)
{
	__atomic_store_n(&f->s->killing, 1, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < 1000 * f->slow && __atomic_load_n(&f->s->forking, __ATOMIC_SEQ_CST); i++)
		fz_nap(1000);
	kill(p->pid, SIGKILL);
	__atomic_store_n(&f->s->killing, 0, __ATOMIC_SEQ_CST);
	p->killed = true;
}

/* Return: whether nobody is there (any more) */
static bool vacant(const struct fz *f, struct place *p)
{
	int status;

	if (p->pid <= 0)
		return true;
	if (waitpid(p->pid, &status, WNOHANG) == p->pid) {
		p->pid = 0;
		if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS))
			fz_add(f, &f->s->events[FZ_SELF], 1);
		else if (WIFSIGNALED(status) && !(p->killed && WTERMSIG(status) == SIGKILL))
			fz_fail(f, "a process died of signal %d", WTERMSIG(status));
		else if (WIFEXITED(status) && WEXITSTATUS(status))
			fz_fail(f, "a process ended with status %d", WEXITSTATUS(status));
		return true;
	}
	if (!p->killed && fz_now_ms() >= p->kill_ms) {
		kill_one(f, p);
		fz_add(f, &f->s->events[FZ_KILLED], 1);
	}
	if (fz_now_ms() >= p->hang_ms) {
		ask_threads(p->pid);
		fz_fail(f, "process %d does not come to an end%s", p->pid, p->killed ? ", though it was killed" : "");
		if (p->killed)
			return true;
		kill_one(f, p);
		p->hang_ms += HANG_MS * f->slow;
	}
	return false;
}

static void run(const struct fz *f)
{
	uint64_t end_ms = fz_now_ms() + 1000ull * f->seconds, hang_ms;
	struct place places[PLACES] = { 0 };
	struct rng rng = { f->seed };
	unsigned int gone = 0;
	pid_t hand;

	fz_hand_once(f);
	hand = spawn(f, "hand");
	if (!hand)
		_exit(fz_hand(f, rng_next(&rng)));
	while (gone < PLACES) {
		bool go_on = more_to_do(f, end_ms);

		if (!go_on)
			__atomic_store_n(&f->s->stop, 1, __ATOMIC_RELAXED);
		gone = 0;
		for (unsigned int i = 0; i < PLACES; i++) {
			if (!vacant(f, &places[i]))
				continue;
			if (go_on)
				begin(f, &places[i], &rng);
			else
				gone++;
		}
		fz_nap(3000);
	}
	hang_ms = fz_now_ms() + HANG_MS * f->slow;
	while (hand > 0 && !waitpid(hand, NULL, WNOHANG)) {
		if (fz_now_ms() >= hang_ms) {
			fz_fail(f, "the hand does not come to an end");
			kill(hand, SIGKILL);
			break;
		}
		fz_nap(3000);
	}
}

/* ---- the summary --------------------------------------------------------- */

static void tell_errnos(const char *name, const uint64_t *n, const char *good)
{
	char line[1024];
	size_t at = 0;

	for (int e = 0; e < FZ_ERRNOS; e++) {
		int w;

		if (!n[e])
			continue;
		w = snprintf(line + at, sizeof(line) - at, " %s %" PRIu64, e ? strerrorname_np(e) ?: "?" : good, n[e]);
		if (w > 0 && at + (size_t)w < sizeof(line))
			at += (size_t)w;
	}
	line[at] = 0;
	tap_diag("%s:%s", name, line);
}

static void tell_all(const struct fz *f)
{
	for (unsigned int i = 0; i < FZ_CALLS; i++)
		tell_errnos(call_names[i], f->s->calls[i], "done");
	for (unsigned int i = 0; i < FZ_OPS; i++)
		tap_diag("%10" PRIu64 " submitted: %s", f->s->ops[i], op_names[i]);
	tell_errnos("completions of receives", f->s->results, "bytes-or-end");
	for (unsigned int i = 0; i < FZ_ENTRIES; i++)
		tap_diag("%10" PRIu64 " refill entries %s", f->s->entries[i], entry_names[i]);
	for (unsigned int i = 0; i < FZ_EVENTS; i++)
		tap_diag("%10" PRIu64 " %s", f->s->events[i], event_names[i]);
}

static unsigned int missing_of(const uint64_t *n, const char *const *names, unsigned int count, bool tell)
{
	unsigned int none = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (n[i])
			continue;
		if (tell)
			tap_diag("none: %s", names[i]);
		none++;
	}
	return none;
}

static uint64_t all_of(const uint64_t *n)
{
	uint64_t sum = 0;

	for (int e = 0; e < FZ_ERRNOS; e++)
		sum += n[e];
	return sum;
}

/* A call that nobody made, or that was never good where it can be */
static unsigned int missing_calls(const struct fz *f, bool tell)
{
	unsigned int none = 0;

	for (unsigned int i = 0; i < FZ_CALLS; i++) {
		if (all_of(f->s->calls[i]) && f->s->calls[i][0])
			continue;
		if (tell)
			tap_diag("none was good: %s", call_names[i]);
		none++;
	}
	return none;
}

static unsigned int missing_results(const struct fz *f, bool tell)
{
	unsigned int none = !f->s->results[0];

	for (unsigned int i = 0; i < FZ_LEN(soon); i++) {
		if (f->s->results[soon[i]])
			continue;
		if (tell)
			tap_diag("no receive ended with %s", strerrorname_np(soon[i]));
		none++;
	}
	return none;
}

/* What has to have happened and has not; each kind is a result */
static unsigned int missing(const struct fz *f, bool tell)
{
	const struct {
		const char *what;
		unsigned int none;
	} kinds[] = {
		{ "each call was made, and was good at least once", missing_calls(f, tell) },
		{ "each kind of request was submitted", missing_of(f->s->ops, op_names, FZ_OPS, tell) },
		{ "receives had each result that they can have", missing_results(f, tell) },
		{ "each kind of refill entry was written", missing_of(f->s->entries, entry_names, FZ_ENTRIES, tell) },
		{ "all else happened", missing_of(f->s->events, event_names, FZ_SELF, tell) },
		{ "each sentence was heard that can be", fz_missing_sentences(f, tell) },
	};
	unsigned int none = 0;

	for (unsigned int i = 0; i < FZ_LEN(kinds); i++) {
		none += kinds[i].none;
		if (tell)
			tap_ok(!kinds[i].none, "%s", kinds[i].what);
	}
	return none;
}

static void tell(const struct fz *f, uint64_t ms)
{
	uint64_t entries = 0;

	for (unsigned int i = 0; i < FZ_ENTRIES; i++)
		entries += f->s->entries[i];
	tell_all(f);
	tap_diag("seed %" PRIu64 ": %" PRIu64 " calls, %" PRIu64 " refill entries, %" PRIu64 " bytes in %" PRIu64 ".%03u s",
		 f->seed, f->s->total, entries, f->s->events[FZ_BYTES], ms / 1000, (unsigned int)(ms % 1000));
	if (!tap_ok(!f->s->failed, "nothing was found, from seed %" PRIu64, f->seed))
		tap_diag("%s", f->s->failure);
	if (f->calls || f->entries)
		tap_ok(f->s->total >= f->calls && entries >= f->entries, "%" PRIu64 " calls and %" PRIu64 " entries",
		       f->calls, f->entries);
	missing(f, true);
}

/* ---- setting up ---------------------------------------------------------- */

static int listen_at(uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
		tap_bail("cannot listen at port %u: %s", port, strerror(errno));
	return fd;
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("no shared memory");
	return p;
}

static void prepare(struct fz *f)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct rlimit locked = { RLIM_INFINITY, RLIM_INFINITY };

	f->ifindex = if_nametoindex(f->iface);
	if (!f->ifindex)
		tap_bail("there is no interface %s", f->iface);
	f->huge_pages = !access("/sys/kernel/mm/transparent_hugepage", F_OK);
	f->s = shared(sizeof(*f->s));
	f->common_size = 1024 * FZ_PAGE;
	for (unsigned int i = 0; i < FZ_COMMON; i++)
		f->common[i] = shared(f->common_size);
	for (unsigned int i = 0; i < FZ_QUEUES; i++)
		f->listeners[i] = listen_at((uint16_t)(FZ_PORT_FIRST + i));
	setrlimit(RLIMIT_MEMLOCK, &locked);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, on_question);
	the_fz = f;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

static int usage(void)
{
	fprintf(stderr, "usage: zc-fuzz -i IFACE [--seconds N] [--calls N] [--entries N] [--seed N] [--slow N] [--short]\n"
			"--seconds: at most (default 15), or four times that if something has not come yet\n"
			"--calls, --entries: until there were so many calls, and so many refill entries\n"
			"--slow: ends may take N times longer than on an idle machine\n"
			"--short: what comes seldom need not have come\n");
	return 2;
}

static bool parse(struct fz *f, int argc, char **argv)
{
	static const struct option options[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 't' },
		{ "calls", required_argument, NULL, 'c' },
		{ "entries", required_argument, NULL, 'e' },
		{ "seed", required_argument, NULL, 's' },
		{ "slow", required_argument, NULL, 'w' },
		{ "short", no_argument, NULL, 'S' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "i:", options, NULL)) != -1) {
		switch (c) {
		case 'i': f->iface = optarg; break;
		case 't': f->seconds = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'c': f->calls = strtoull(optarg, NULL, 10); break;
		case 'e': f->entries = strtoull(optarg, NULL, 10); break;
		case 's': f->seed = strtoull(optarg, NULL, 0); break;
		case 'w': f->slow = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'S': f->short_run = true; break;
		default: return false;
		}
	}
	return f->iface && f->slow && optind == argc;
}

int main(int argc, char **argv)
{
	struct fz f = { .seconds = 15, .seed = 1, .slow = 1 };
	uint64_t start;

	if (!parse(&f, argc, argv))
		return usage();
	prepare(&f);
	tap_diag("seed %" PRIu64, f.seed);
	start = fz_now_ms();
	run(&f);
	tell(&f, fz_now_ms() - start);
	return tap_done();
}
