/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>

#include "syncd/scrub.h"

static void *work(void *arg)
{
	struct aero_scrub *scrub = arg;

	scrub->rc = aero_publish_verify(scrub->path, &scrub->err);
	atomic_store(&scrub->done, true);
	return NULL;
}

/* Out of memory or descriptors is no damage; a file that is gone or that others may
 * write is mended like one. */
static bool damaged(const struct aero_scrub *scrub)
{
	static const int codes[] = {AERO_PUBLISH_DAMAGED, ENOENT, EACCES, EIO};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (scrub->rc < 0 && scrub->err.code == codes[i])
			return true;
	return false;
}

bool aero_scrub_step(struct aero_scrub *scrub, const char *path, int64_t now,
	int64_t period_ms, const char **ret_why)
{
	if (scrub->started && atomic_load(&scrub->done)) {
		aero_scrub_end(scrub);
		*ret_why = aero_publish_strerror(scrub->err.code);
		return damaged(scrub);
	}
	if (scrub->started || now < scrub->due)
		return false;
	scrub->due = now + period_ms;
	scrub->path = path;
	atomic_store(&scrub->done, false);
	scrub->started = pthread_create(&scrub->thread, NULL, work, scrub) == 0;
	return false;
}

void aero_scrub_end(struct aero_scrub *scrub)
{
	if (scrub->started)
		(void)pthread_join(scrub->thread, NULL);
	scrub->started = false;
}
