// SPDX-License-Identifier: GPL-2.0-or-later
/* zc-fuzz: registrations, valid and broken in each field, and what the kernel says to them */
#include <errno.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "zc-fuzz.h"

/* How a sentence comes about */
enum often {
	SOON,		/* in seconds */
	LATE,		/* in minutes, or by luck */
	NEVER,		/* takes a fault, or another machine */
};

/**
 * struct sentence - one of the table in Documentation/uapi.rst
 * @err: errno
 * @begin: what it begins with; # is a number
 * @often: whether it has to have come
 */
static const struct sentence {
	int err;
	const char *begin;
	enum often often;
} sentences[FZ_SENTENCES] = {
	{ EPERM, "needs CAP_NET_ADMIN", SOON },
	{ EINVAL, "ring was not set up with IORING_SETUP_DEFER_TASKRUN", SOON },
	{ EINVAL, "unknown flags 0x", SOON },
	{ EINVAL, "a reserved field, or cpu without its flag, is not 0", SOON },
	{ EINVAL, "rq_entries ", SOON },
	{ EINVAL, "cq_entries ", SOON },
	{ EINVAL, "CPU ", LATE },
	{ EFAULT, "no registered buffer ", SOON },
	{ EFAULT, "registered buffer # is not page aligned", SOON },
	{ EEXIST, "registered buffer # is a region of the ifq already", SOON },
	{ EFAULT, "the argument is not writable", SOON },
	{ EBUSY, "an ifq has registered buffer ", SOON },
	{ ENOMEM, "no memory for the ifq", NEVER },
	{ ENOMEM, "no memory for the rings", NEVER },
	{ ENOMEM, "no memory for the region", NEVER },
	{ ENOMEM, "no memory for the buffer table", NEVER },
	{ ENOMEM, "cannot map the region for DMA", NEVER },
	{ EBUSY, "the ring has # ifqs already", NEVER },
	{ ENXIO, "the ring has no ifq ", SOON },
	{ EINVAL, "unknown operation ", SOON },
	{ EINVAL, "a field that the operation has no use for is not 0", SOON },
	{ EBUSY, "# receive requests are under way, cancel them first", SOON },
	{ ENOSPC, "the ifq has # regions already", NEVER },
	{ ENODEV, "no interface with index ", SOON },
	{ ENODEV, "device is not present", NEVER },
	{ EOPNOTSUPP, "virtual interface, it has no device that does DMA", SOON },
	{ EOPNOTSUPP, "driver has no zero copy receive", NEVER },
	{ EOPNOTSUPP, "cannot move interrupt ", NEVER },
	{ ERANGE, "no RX queue ", SOON },
	{ EEXIST, "queue is bound already", SOON },
	{ EBUSY, "queue is bound to an AF_XDP socket", SOON },
	{ EBUSY, "firmware is being reset", NEVER },
	{ EEXIST, "an XDP program is attached to a device above", NEVER },
	{ EEXIST, "an XDP program is attached", SOON },
	{ EOPNOTSUPP, "header/data split is off", NEVER },
	{ EOPNOTSUPP, "too few hardware rings for header split", NEVER },
	{ ENOSPC, "region of ", SOON },
	{ 0, "too few hardware rings for header split: ethtool -L", NEVER },
	{ 0, "restart of the queue failed", NEVER },
};

static bool begins(const char *reason, const char *begin)
{
	for (; *begin; begin++) {
		size_t digits = strspn(reason, "0123456789");

		if (*begin == '#' ? !digits : *begin != *reason)
			return false;
		reason += *begin == '#' ? digits : 1;
	}
	return true;
}

/**
 * fz_heard() - a refusal gave a reason: it has to be one of the table
 * @f: all
 * @err: errno, positive
 * @reason: what the kernel wrote
 */
void fz_heard(const struct fz *f, int err, const char *reason)
{
	for (unsigned int i = 0; i < FZ_SENTENCES && sentences[i].begin; i++) {
		if (!begins(reason, sentences[i].begin))
			continue;
		fz_add(f, &f->s->sentences[i], 1);
		if (sentences[i].err && sentences[i].err != err)
			fz_fail(f, "\"%s\" came with errno %d and not %d", reason, err, sentences[i].err);
		return;
	}
	fz_fail(f, "errno %d came with a sentence that Documentation/uapi.rst has not: \"%.120s\"", err, reason);
}

/**
 * fz_missing_sentences() - which of them have not come
 * @f: all
 * @tell: print how often each came
 *
 * Return: how many did not that have to.
 */
unsigned int fz_missing_sentences(const struct fz *f, bool tell)
{
	unsigned int none = 0;

	for (unsigned int i = 0; i < FZ_SENTENCES && sentences[i].begin; i++) {
		const struct sentence *s = &sentences[i];
		bool missing = !f->s->sentences[i] && (s->often == SOON || (s->often == LATE && !f->short_run));

		if (tell)
			printf("# %8llu %-12s %s%s\n", (unsigned long long)f->s->sentences[i],
			       s->err ? strerrorname_np(s->err) : "any", s->begin, missing ? "   <- none" : "");
		none += missing;
	}
	return none;
}

/* ---- buffers ------------------------------------------------------------- */

static bool ends_aligned(const struct iovec *iov)
{
	return !((uintptr_t)iov->iov_base % FZ_PAGE) && !(iov->iov_len % FZ_PAGE);
}

static void any_buffer(struct fz_thread *t, struct iovec *iov, uint8_t *region)
{
	*region = (uint8_t)rng_below(&t->rng, FZ_REGIONS);
	*iov = (struct iovec){ t->w->regions[*region], t->w->region_size[*region] };
	switch (rng_below(&t->rng, 16)) {
	case 0:
		iov->iov_base = (char *)iov->iov_base + 512;
		iov->iov_len -= FZ_PAGE;
		break;
	case 1:
		iov->iov_len -= 512;
		break;
	case 2:
		iov->iov_len = FZ_PAGE * (1 + rng_below(&t->rng, 64));
		break;
	case 3:
		iov->iov_len = fz_any32(&t->rng);
		break;
	case 4:
		*iov = (struct iovec){ NULL, 0 };
		break;
	}
	if (!ends_aligned(iov) || iov->iov_len != t->w->region_size[*region])
		*region = FZ_REGIONS;
}

/**
 * fz_buffers() - register buffers, good ones or not
 * @t: thread
 */
void fz_buffers(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);
	uint32_t n = 1 + rng_below(&t->rng, 3);
	struct iovec iov[4];
	uint8_t region[4];
	long ret;

	if (r->fd < 0)
		return;
	for (uint32_t i = 0; i < n; i++)
		any_buffer(t, &iov[i], &region[i]);
	ret = fz_count(t->w->f, FZ_BUFFERS, syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_BUFFERS, iov, n));
	if (ret)
		return;
	memcpy(r->buffer_region, region, n);
	r->buffers = n;
}

/**
 * fz_unbuffers() - take them back, also from under an interface queue
 * @t: thread
 */
void fz_unbuffers(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);

	if (r->fd < 0)
		return;
	/* waits for each request that reads into them, and so for what a drained one waits for */
	__atomic_store_n(&t->waits_ms, fz_now_ms(), __ATOMIC_RELAXED);
	if (!fz_count(t->w->f, FZ_UNBUFFERS,
		      syscall(__NR_io_uring_register, r->fd, IORING_UNREGISTER_BUFFERS, NULL, 0)))
		r->buffers = 0;
	__atomic_store_n(&t->waits_ms, 0, __ATOMIC_RELAXED);
}

/* ---- interface queues ---------------------------------------------------- */

static void defaults(struct fz_thread *t, struct fz_ring *r, struct io_uring_zc_rx_ifq_reg *reg,
		     char *reason, uint32_t reason_len)
{
	*reg = (struct io_uring_zc_rx_ifq_reg){
		.if_idx = t->w->f->ifindex,
		.if_rxq_id = FZ_QUEUE_FIRST + rng_below(&t->rng, FZ_QUEUES),
		.region_id = r->buffers ? rng_below(&t->rng, r->buffers) : 0,
		.rq_entries = 1u << rng_below(&t->rng, rng_one_in(&t->rng, 2) ? 16 : 10),
		.cq_entries = 1u << rng_below(&t->rng, rng_one_in(&t->rng, 4) ? 17 : 10),
		.reason_len = reason_len,
		.reason = (uintptr_t)reason,
	};
}

/* The rings are mapped at once, most of the time */
static void registered(struct fz_thread *t, struct fz_ring *r, const struct io_uring_zc_rx_ifq_reg *reg)
{
	struct fz_ifq *q = &r->ifqs[reg->zcrx_ifq_idx % FZ_IFQS_RING];
	uint8_t region = reg->region_id < 4 ? r->buffer_region[reg->region_id] : FZ_REGIONS;
	char *map = MAP_FAILED, *old;

	if (rng_below(&t->rng, 16))
		map = fz_map(t->w, reg->mmap_sz, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, reg->mmap_off);
	old = __atomic_exchange_n(&q->map, NULL, __ATOMIC_RELAXED);
	if (old)
		munmap(old, q->map_size);
	q->reg = *reg;
	q->map_size = reg->mmap_sz;
	q->region_size = region < FZ_REGIONS ? t->w->region_size[region] : FZ_PAGE * 64;
	q->heads_true = true;
	q->stats_true = true;
	q->rq_seen = 0;
	memset(q->seen, 0, sizeof(q->seen));
	__atomic_store_n(&q->map, map == MAP_FAILED ? NULL : map, __ATOMIC_RELEASE);
	q->live = true;
}

static long do_register(struct fz_thread *t, struct fz_ring *r, void *arg, uint32_t nr)
{
	return fz_count(t->w->f, FZ_IFQ,
			syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_ZC_RX_IFQ_NR, arg, nr));
}

/**
 * fz_ifq_good() - a registration with nothing wrong in it, but for the ring perhaps
 * @t: thread
 */
void fz_ifq_good(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);
	struct io_uring_zc_rx_ifq_reg reg;
	char reason[128] = "";
	long ret;

	if (r->fd < 0)
		return;
	defaults(t, r, &reg, reason, sizeof(reason));
	ret = do_register(t, r, &reg, 1);
	if (!ret)
		registered(t, r, &reg);
	else if (reason[0])
		fz_heard(t->w->f, errno, reason);
}

static uint32_t any_ifindex(struct fz_thread *t)
{
	return rng_one_in(&t->rng, 2) ? if_nametoindex("lo") : fz_any32(&t->rng);
}

/* A queue that the interface has not: what it has would be bound */
static uint32_t no_queue(struct fz_thread *t)
{
	return 32 + fz_any32(&t->rng) % 0x7fffffff;
}

/* Not 0, as nothing else would be wrong then */
static uint32_t not_0(struct fz_thread *t)
{
	return fz_any32(&t->rng) ?: 1;
}

static void break_reg(struct fz_thread *t, struct io_uring_zc_rx_ifq_reg *reg)
{
	switch (rng_below(&t->rng, 12)) {
	case 0: reg->if_idx = any_ifindex(t); break;
	case 1: reg->if_rxq_id = no_queue(t); break;
	case 2: reg->region_id = not_0(t); break;
	case 3: reg->rq_entries = fz_any32(&t->rng) | 1u << 17; break;
	case 4: reg->rq_entries = 3 * rng_below(&t->rng, 10000); break;
	case 5: reg->cq_entries = fz_any32(&t->rng) | 1u << 18; break;
	case 6: reg->cq_entries = 5 * rng_below(&t->rng, 10000); break;
	case 7: reg->flags = fz_any32(&t->rng) & ~(uint32_t)IORING_ZC_RX_IFQ_CPU ?: 2; break;
	case 8: reg->cpu = (uint16_t)not_0(t) ?: 1; break;
	case 9: reg->__resv0 = (uint16_t)not_0(t) ?: 1; break;
	case 10: reg->__resv[rng_below(&t->rng, 4)] = rng_next(&t->rng) | 1; break;
	case 11:
		/* found out only when the queue is bound */
		if (!rng_one_in(&t->rng, 4)) {
			reg->__resv0 = 1;
			break;
		}
		reg->flags |= IORING_ZC_RX_IFQ_CPU;
		reg->cpu = (uint16_t)(60000 + rng_below(&t->rng, 5000));
		break;
	}
}

/* Where the argument and the reason are: too short, nowhere, read only, misaligned */
static long register_odd(struct fz_thread *t, struct fz_ring *r, struct io_uring_zc_rx_ifq_reg *reg)
{
	char *page = mmap(NULL, 2 * FZ_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *arg = page;
	long ret = -1;

	if (page == MAP_FAILED)
		return -1;
	switch (rng_below(&t->rng, 5)) {
	case 0:
		arg = NULL;
		break;
	case 1:
		mprotect(page + FZ_PAGE, FZ_PAGE, PROT_NONE);
		arg = page + FZ_PAGE - 4 * rng_below(&t->rng, sizeof(*reg) / 4);
		break;
	case 2:
		/* found out last but for the binding; a moment without a region would do as well */
		memcpy(arg, reg, sizeof(*reg));
		mprotect(page, FZ_PAGE, PROT_READ);
		break;
	case 3:
		arg += 1 + rng_below(&t->rng, 63);
		reg->__resv0 = 1;
		memcpy(arg, reg, sizeof(*reg));
		break;
	case 4:
		reg->reason = rng_one_in(&t->rng, 2) ? 8 : rng_next(&t->rng);
		reg->reason_len = fz_any32(&t->rng);
		reg->__resv0 = 1;
		memcpy(arg, reg, sizeof(*reg));
		break;
	}
	ret = do_register(t, r, arg, 1);
	munmap(page, 2 * FZ_PAGE);
	return ret;
}

/**
 * fz_ifq_bad() - a registration with something wrong in it
 * @t: thread
 */
void fz_ifq_bad(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);
	struct io_uring_zc_rx_ifq_reg reg;
	char reason[130] = "", *end = &reason[129];
	uint32_t len = 128;
	long ret;

	if (r->fd < 0)
		return;
	*end = 0x5a;
	defaults(t, r, &reg, reason, len);
	switch (rng_below(&t->rng, 8)) {
	case 0:
		ret = register_odd(t, r, &reg);
		break;
	case 1:
		break_reg(t, &reg);
		ret = do_register(t, r, &reg, fz_any32(&t->rng));
		break;
	case 2:
		break_reg(t, &reg);
		break_reg(t, &reg);
		ret = do_register(t, r, &reg, 1);
		break;
	case 3:
		break_reg(t, &reg);
		reg.reason_len = rng_below(&t->rng, 128);
		ret = do_register(t, r, &reg, 1);
		reason[0] = 0;
		break;
	default:
		break_reg(t, &reg);
		ret = do_register(t, r, &reg, 1);
		break;
	}
	/* another thread may have changed the ring's buffers, so that a number was right */
	if (!ret)
		registered(t, r, &reg);
	else if (reason[0] && reg.reason == (uintptr_t)reason)
		fz_heard(t->w->f, errno, reason);
	if (*end != 0x5a)
		fz_fail(t->w->f, "a reason was written beyond its buffer");
}

static void break_ctrl(struct fz_thread *t, struct io_uring_zc_rx_ctrl *ctrl)
{
	switch (rng_below(&t->rng, 5)) {
	case 0: ctrl->zcrx_ifq_idx = fz_any32(&t->rng); break;
	case 1: ctrl->op = fz_any32(&t->rng); break;
	case 2: ctrl->region_id = not_0(t); break;
	case 3: ctrl->__resv[rng_below(&t->rng, 4)] = rng_next(&t->rng) | 1; break;
	case 4: ctrl->reason_len = fz_any32(&t->rng); ctrl->reason = rng_next(&t->rng); break;
	}
}

static void distrust(struct fz_ifq *q)
{
	q->heads_true = false;
	q->stats_true = false;
}

/**
 * fz_ifq_ctrl() - operations on an interface queue, valid or not
 * @t: thread
 */
void fz_ifq_ctrl(struct fz_thread *t)
{
	static const uint32_t ops[] = {
		IORING_ZC_RX_CTRL_ADD_REGION, IORING_ZC_RX_CTRL_ADD_REGION, IORING_ZC_RX_CTRL_ADD_REGION,
		IORING_ZC_RX_CTRL_FLUSH_RQ, IORING_ZC_RX_CTRL_FLUSH_RQ, IORING_ZC_RX_CTRL_FLUSH_RQ,
		IORING_ZC_RX_CTRL_UNREGISTER,
	};
	struct fz_ring *r = fz_pick_ring(t);
	struct io_uring_zc_rx_ctrl ctrl;
	char reason[128] = "";
	bool bad = rng_one_in(&t->rng, 3);
	void *arg = &ctrl;
	long ret;

	if (r->fd < 0)
		return;
	ctrl = (struct io_uring_zc_rx_ctrl){
		.zcrx_ifq_idx = rng_below(&t->rng, FZ_IFQS_RING),
		.op = ops[rng_below(&t->rng, FZ_LEN(ops))],
		.reason_len = sizeof(reason),
		.reason = (uintptr_t)reason,
	};
	if (ctrl.op == IORING_ZC_RX_CTRL_ADD_REGION)
		ctrl.region_id = rng_below(&t->rng, 4);
	if (bad)
		break_ctrl(t, &ctrl);
	if (bad && rng_one_in(&t->rng, 8))
		arg = NULL;
	ret = fz_count(t->w->f, FZ_CTRL,
		       syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_ZC_RX_CTRL_NR, arg,
			       bad && rng_one_in(&t->rng, 8) ? fz_any32(&t->rng) : 1));
	if (ret < 0 && reason[0])
		fz_heard(t->w->f, errno, reason);
	/* what is mapped stays mapped, and says nothing any more */
	if (!ret && ctrl.op == IORING_ZC_RX_CTRL_UNREGISTER)
		distrust(&r->ifqs[ctrl.zcrx_ifq_idx % FZ_IFQS_RING]);
}
