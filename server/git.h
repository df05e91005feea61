/* SPDX-License-Identifier: MIT */
/* A clone of the repository of configuration files, kept by the git command: no shell, no
 * question asked, a time limit. Errors hold git's own words, without credentials. */
#ifndef AERO_SERVER_GIT_H
#define AERO_SERVER_GIT_H

#include "lib/conf.h"
#include "lib/err.h"

#define AERO_GIT_TIMEOUT_MS 60000

struct aero_git {
	const char *url;  /* remote_repo_url */
	const char *dir;  /* repo_path */
	const char *cert; /* git_cert: a private ssh key; '' = none */
	int stop_fd;      /* readable: end at once (a signalfd); -1 = none */
};

/* Can it be kept? Folder, key, and whether the URL answers. AERO_CONFIG with what is
 * wrong; AERO_AGAIN when told to stop. */
int aero_git_check(const struct aero_git *git, struct aero_err *err);
/* Bring dir to the newest commit of the repository's HEAD, making the clone if there is
 * none; whatever else is in its work tree goes. AERO_NET: git failed. */
int aero_git_pull(const struct aero_git *git, struct aero_err *err);

/* What git said, on one line and without user and password of url; pure. */
void aero_git_words(const char *output, const char *url, char *ret, size_t size);

#endif
