// SPDX-License-Identifier: GPL-2.0-or-later
/* Netlink, with the kernel's end of the socket in this test's hands. */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "nl.h"

#define TYPE	0x23

/**
 * struct end - the kernel's end
 * @fd: of a pair
 * @buf: what it is going to say in one go
 * @len: bytes of that
 */
struct end {
	int fd;
	uint8_t buf[4096];
	size_t len;
};

/* What came in, as a person would note it down */
static char noted[256];

static void note(void *ctx, uint16_t type, const void *data, size_t len)
{
	size_t used = strlen(noted);

	(void)ctx;
	snprintf(noted + used, sizeof(noted) - used, "%u=%llu/%zu ", type,
		 (unsigned long long)nl_number(data, len), len);
}

static void note_answer(void *ctx, const struct nlmsghdr *nlh)
{
	nl_attrs(nlh, GENL_HDRLEN, note, ctx);
}

/* Adds a message: its head, and bytes behind that */
static void say(struct end *k, uint16_t type, uint32_t seq, uint16_t flags, const void *body,
		size_t len)
{
	const struct nlmsghdr nlh = {
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len), .nlmsg_type = type,
		.nlmsg_flags = flags, .nlmsg_seq = seq,
	};

	memset(k->buf + k->len, 0, NLMSG_ALIGN(nlh.nlmsg_len));
	memcpy(k->buf + k->len, &nlh, sizeof(nlh));
	memcpy(k->buf + k->len + NLMSG_HDRLEN, body, len);
	k->len += NLMSG_ALIGN(nlh.nlmsg_len);
}

/* An answer with one attribute */
static void say_value(struct end *k, uint32_t seq, uint16_t attr, uint32_t value)
{
	struct {
		struct genlmsghdr genl;
		struct nlattr nla;
		uint32_t value;
	} body = { { 1, 1, 0 }, { 8, attr }, value };

	say(k, TYPE, seq, 0, &body, sizeof(body));
}

static void say_ack(struct end *k, uint32_t seq, int err, const char *words)
{
	struct {
		struct nlmsgerr err;
		struct nlattr nla;
		char words[32];
	} body = { .err = { .error = err } };
	size_t len = sizeof(body.err);

	if (words) {
		body.nla = (struct nlattr){ (uint16_t)(NLA_HDRLEN + strlen(words) + 1),
					    NLMSGERR_ATTR_MSG };
		strcpy(body.words, words);
		len += body.nla.nla_len;
	}
	say(k, NLMSG_ERROR, seq, words ? NLM_F_ACK_TLVS : 0, &body, len);
}

static void flush(struct end *k)
{
	if (send(k->fd, k->buf, k->len, 0) < 0)
		tap_ok(false, "send: %s", strerror(errno));
	k->len = 0;
}

/* The next request's number is 1 more than the last one's */
static int ask(struct nl *nl)
{
	struct nl_message m;

	noted[0] = '\0';
	nl_start_genl(&m, TYPE, 1, 0);
	return nl_request(nl, &m, note_answer, NULL);
}

static void test_requests(struct nl *nl, struct end *k)
{
	const int err = -EBUSY, none = 0;

	say_value(k, 1, 5, 500);
	say_ack(k, 1, 0, NULL);
	flush(k);
	tap_eq(ask(nl), 0, "an answer and its acknowledgement");
	tap_str(noted, "5=500/4 ", "the answer");

	say_value(k, 2, 1, 10);
	say_value(k, 2, 2, 20);
	flush(k);
	say_value(k, 2, 3, 30);
	say(k, NLMSG_DONE, 2, 0, &none, sizeof(none));
	flush(k);
	tap_eq(ask(nl), 0, "a dump in parts");
	tap_str(noted, "1=10/4 2=20/4 3=30/4 ", "all of them");

	say(k, NLMSG_DONE, 3, 0, &err, sizeof(err));
	flush(k);
	tap_eq(ask(nl), -EBUSY, "a dump that ends in an error");

	say_ack(k, 99, -EPERM, NULL);
	say_ack(k, 4, 0, NULL);
	flush(k);
	tap_eq(ask(nl), 0, "an acknowledgement of somebody else's request is not ours");

	say_ack(k, 5, -EINVAL, "because");
	flush(k);
	tap_eq(ask(nl), -EINVAL, "a refusal");
	tap_str(nl->reason, "because", "and why");

	say_ack(k, 6, -ENODEV, NULL);
	flush(k);
	tap_eq(ask(nl), -ENODEV, "a refusal without words");
	tap_str(nl->reason, "", "does not have those of the one before");
}

/* Lengths that lie */
static void test_broken(struct nl *nl, struct end *k)
{
	struct nlmsghdr nlh;

	say(k, NLMSG_ERROR, 7, 0, "", 0);
	flush(k);
	tap_eq(ask(nl), -EPROTO, "an acknowledgement that is too short");

	say_value(k, 8, 5, 500);
	memcpy(&nlh, k->buf, sizeof(nlh));
	nlh.nlmsg_len += 100;
	memcpy(k->buf, &nlh, sizeof(nlh));
	flush(k);
	say_ack(k, 8, 0, NULL);
	flush(k);
	tap_eq(ask(nl), 0, "a message that is longer than what came");
	tap_str(noted, "", "is not looked at");

	say_value(k, 9, 5, 500);
	k->buf[NLMSG_HDRLEN + GENL_HDRLEN] = 200;
	say_ack(k, 9, 0, NULL);
	flush(k);
	tap_eq(ask(nl), 0, "an attribute that is longer than its message");
	tap_str(noted, "", "is not looked at");

	say_value(k, 10, 5, 500);
	k->buf[NLMSG_HDRLEN + GENL_HDRLEN] = 3;
	say_ack(k, 10, 0, NULL);
	flush(k);
	tap_eq(ask(nl), 0, "an attribute that is shorter than its head");
	tap_str(noted, "", "is not looked at, nor for ever");

	close(k->fd);
	tap_ok(ask(nl) < 0, "nobody is there");
}

static void test_numbers(void)
{
	tap_eq(nl_number(&(uint8_t){ 200 }, 1), 200, "a byte");
	tap_eq(nl_number(&(uint16_t){ 60000 }, 2), 60000, "two");
	tap_eq(nl_number(&(uint32_t){ 4000000000 }, 4), 4000000000, "four");
	tap_ok(nl_number(&(uint64_t){ 1ULL << 60 }, 8) == 1ULL << 60, "eight");
	tap_eq(nl_number("abc", 3), 0, "three are no number");
}

/* With the kernel itself: a family that all have */
static void test_kernel(void)
{
	uint16_t family;
	struct nl nl;

	if (nl_open(&nl, NETLINK_GENERIC)) {
		tap_ok(true, "the kernel's families # SKIP no generic netlink here");
		return;
	}
	tap_eq(nl_family(&nl, "nlctrl", NULL, &family, NULL), 0, "a family that there is");
	tap_eq(family, GENL_ID_CTRL, "its number");
	tap_eq(nl_family(&nl, "no-such", NULL, &family, NULL), -ENOENT, "one that there is not");
	nl_close(&nl);
	nl_close(&nl);
}

int main(void)
{
	struct nl nl = { .fd = -1 };
	struct end k = { .fd = -1 };
	int pair[2];

	if (!tap_ok(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), "two ends"))
		return tap_done();
	nl.fd = pair[0];
	k.fd = pair[1];
	test_requests(&nl, &k);
	test_broken(&nl, &k);
	nl_close(&nl);
	test_numbers();
	test_kernel();
	return tap_done();
}
