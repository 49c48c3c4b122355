// SPDX-License-Identifier: GPL-2.0-or-later
/* What builds upon TCP in the kernel: kTLS, MPTCP, KCM with the stream parser */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcm.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "paths.h"
#include "paths-prog.h"
#include "pattern.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define BYTES		160000u
#define PIPE_SIZE	(1 << 20)

/* --- kTLS ---------------------------------------------------------------- */

/* The key is no secret: both ends are here */
static int tls_start(int fd, int direction)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { .version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
		.iv = "8 bytes", .key = "sixteen bytes..", .salt = "abc", .rec_seq = { 0 },
	};

	return setsockopt(fd, SOL_TLS, direction, &info, sizeof(info)) ? -errno : 0;
}

/* Only while both ends are open */
static int tls_attach(int fd, void *data)
{
	(void)data;
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) ? -errno : 0;
}

static int tls_sender(int fd)
{
	return tls_attach(fd, NULL) ?: tls_start(fd, TLS_TX);
}

/* What is on the wire is longer than what was sent, so that all of that has come */
static bool tls_held(struct paths *p, struct feed *f, int *fd)
{
	const struct path_listen l = { .mss = 1448, .accepted = tls_attach };

	f->prepare = tls_sender;
	if (!path_held(p, &l, f, fd))
		return false;
	if (path_ok(p, !tls_start(*fd, TLS_RX), "the socket decrypts"))
		return true;
	close(*fd);
	return false;
}

static void run_tls(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	int fd;

	(void)path;
	if (tls_held(p, &f, &fd))
		path_read_all(p, fd, &f);
}

static void run_tls_splice(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	int fd, pipe[2];
	uint64_t n = 0;

	(void)path;
	if (!tls_held(p, &f, &fd))
		return;
	if (!pipe2(pipe, O_CLOEXEC) && fcntl(pipe[1], F_SETPIPE_SZ, PIPE_SIZE) > 0) {
		while (n < f.bytes) {
			ssize_t part = splice(fd, NULL, pipe[1], NULL, f.bytes - n, 0);

			if (part <= 0)
				break;
			n += (uint64_t)part;
		}
		path_ok(p, n == f.bytes, "all of it goes to a pipe");
		close(fd);
		path_ok(p, user_turns(p), "the user's pages go round");
		path_ok(p, path_read(pipe[0], f.base, f.bytes) == f.bytes, "every byte is right");
		close(pipe[0]);
		close(pipe[1]);
	}
}

/* Decrypts while it comes; the parser copies, as the buffer is too small for a record */
static void run_tls_copied(struct paths *p, const struct path *path)
{
	const struct path_listen l = { .mss = 1448, .rcvbuf = 10000 };
	struct feed f = { .base = p->base, .bytes = 4 * BYTES, .prepare = tls_sender };
	int listener = path_listen(&l), fd;

	(void)path;
	if (!path_ok(p, listener >= 0 && feed_start(&f), "a stream begins"))
		return;
	fd = path_accept(p, listener);
	close(listener);
	if (path_ok(p, fd >= 0 && !tls_attach(fd, NULL) && !tls_start(fd, TLS_RX), "the socket decrypts")) {
		path_ok(p, user_turns(p), "the user's pages go round");
		path_read_all(p, fd, &f);
	} else if (fd >= 0) {
		close(fd);
	}
	feed_stop(&f);
}

/* --- MPTCP --------------------------------------------------------------- */

static void run_mptcp(struct paths *p, const struct path *path)
{
	const struct path_listen l = { .proto = IPPROTO_MPTCP };
	struct feed f = { .bytes = BYTES, .proto = IPPROTO_MPTCP };
	socklen_t len = sizeof(int);
	int fd, proto = 0;

	(void)path;
	if (!path_held(p, &l, &f, &fd))
		return;
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len);
	path_ok(p, proto == IPPROTO_MPTCP, "it is one of MPTCP");
	path_read_all(p, fd, &f);
}

/* --- KCM ----------------------------------------------------------------- */

#define MESSAGE		4000

/* All messages have one length, so the parser needs not look at them */
static int message_parser(void)
{
	const struct bpf_insn insns[] = {
		PROG_MOV_IMM(0, MESSAGE),
		PROG_EXIT,
	};

	return prog_load(BPF_PROG_TYPE_SOCKET_FILTER, insns, sizeof(insns) / sizeof(insns[0]));
}

/* The connection @fd comes to be read by messages; -1 if not */
static int kcm_of(int fd)
{
	struct kcm_attach attach = { .fd = fd, .bpf_fd = message_parser() };
	int kcm = socket(AF_KCM, SOCK_SEQPACKET, KCMPROTO_CONNECTED);

	if (kcm >= 0)
		paths_limit(kcm);
	if (kcm >= 0 && ioctl(kcm, SIOCKCMATTACH, &attach)) {
		close(kcm);
		kcm = -1;
	}
	if (attach.bpf_fd >= 0)
		close(attach.bpf_fd);
	return kcm;
}

static uint64_t kcm_read(int kcm, const struct feed *f, uint64_t from, uint64_t to)
{
	uint8_t buf[MESSAGE + 1];

	for (; from < to; from += MESSAGE)
		if (recv(kcm, buf, sizeof(buf), 0) != MESSAGE ||
		    pattern_check(buf, f->base + from, MESSAGE) != MESSAGE)
			break;
	return from;
}

/* Half of it is spliced, and stays in the pipe while the user's pages go round */
static void run_kcm(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = 40 * MESSAGE };
	const struct path_listen l = { .mss = 1448 };
	const uint64_t half = f.bytes / 2;
	int fd, kcm, pipe[2];
	uint64_t n = 0;

	(void)path;
	if (!path_arrive(p, &l, &f, &fd))
		return;
	kcm = kcm_of(fd);
	if (path_ok(p, kcm >= 0, "it is read by messages") && !pipe2(pipe, O_CLOEXEC)) {
		fcntl(pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
		while (n < half && splice(kcm, NULL, pipe[1], NULL, MESSAGE, 0) == MESSAGE)
			n += MESSAGE;
		path_ok(p, n == half, "half of them go to a pipe");
		path_ok(p, user_turns(p), "the user's pages go round");
		path_ok(p, path_read(pipe[0], f.base, half) == half, "every byte of the pipe is right");
		path_ok(p, kcm_read(kcm, &f, half, f.bytes) == f.bytes, "and of the messages");
		close(pipe[0]);
		close(pipe[1]);
	}
	if (kcm >= 0)
		close(kcm);
	close(fd);
}

const struct path paths_upper[] = {
	{ "kTLS", .run = run_tls },
	{ "kTLS and splice", .run = run_tls_splice },
	{ "kTLS with a small buffer", .run = run_tls_copied },
	{ "MPTCP", .run = run_mptcp },
	{ "KCM", .run = run_kcm },
	{}
};
