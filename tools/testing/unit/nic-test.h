/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the device's core do at their beginning and end, and in between. */
#ifndef NIC_TEST_H
#define NIC_TEST_H

#include "../tap.h"
#include "nic-driver.h"

/**
 * drv_opened() - a driver that has opened the device
 * @o: what for a driver and device
 *
 * Return: the driver; there is none only when there is no test either.
 */
__attribute__((unused))
static struct drv *drv_opened(const struct drv_opts *o)
{
	struct drv *d = drv_new(o);

	if (drv_open(d))
		tap_bail("the device cannot be opened: %s", d->last_trace);
	return d;
}

/**
 * drv_ended() - the end of each test: whatever it was about, the device broke no rule
 * @d: the driver, freed
 * @what: what the test was about
 */
static void drv_ended(struct drv *d, const char *what)
{
	tap_ok(!d->broken, "%s: no rule of the rings is broken", what);
	if (d->broken)
		tap_diag("%s", d->broken);
	drv_free(d);
}

/**
 * drv_napi_step() - one of the four steps of a NAPI poll, of the first queue
 * @d: the driver
 * @step: 0 reads the NQ, 1 polls the CQ, 2 arms that, 3 arms the NQ; others do nothing
 */
__attribute__((unused))
static void drv_napi_step(struct drv *d, unsigned int step)
{
	switch (step) {
	case 0:
		drv_read_nq(d, 0);
		break;
	case 1:
		drv_poll_rx(d, 0);
		break;
	case 2:
		drv_arm_cq(d, &d->q[0].rxcq);
		break;
	case 3:
		drv_arm_nq(d, &d->q[0].nq);
		break;
	}
}

#endif
