/* SPDX-License-Identifier: MIT */
/*
 * Options: one table (conf_table.c) gives key, flag, environment name, default, range and
 * help of each; flag > environment > file > default (CONTRACTS 8). Every program takes
 * every key of the table as a flag, but those of aerostatd; actions belong to the
 * programs that their row names. The file may hold the keys of all programs.
 */
#ifndef AERO_LIB_CONF_H
#define AERO_LIB_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/list.h"
#include "lib/log.h"

enum aero_program {
	AERO_PROG_CLI = 1 << 0,      /* aerostat */
	AERO_PROG_SYNCD = 1 << 1,    /* aerostat-syncd */
	AERO_PROG_REGISTER = 1 << 2, /* aerostat-register */
	AERO_PROG_SERVER = 1 << 3,   /* aerostatd */
	AERO_PROG_ANY = 0xf,
};

enum aero_opt_type {
	AERO_OPT_STR,  /* char * */
	AERO_OPT_INT,  /* int, within min..max */
	AERO_OPT_BOOL, /* bool: true/false/yes/no/on/off; as a flag alone: true */
	AERO_OPT_ENUM, /* int: index into values ("full|self|off") */
	AERO_OPT_LIST, /* struct aero_list: YAML list, comma list, repeated flag */
};

enum aero_hosts_file {
	AERO_HOSTS_FULL,
	AERO_HOSTS_SELF,
	AERO_HOSTS_OFF,
};

enum aero_nscd {
	AERO_NSCD_AUTO,
	AERO_NSCD_OFF,
};

enum aero_info_source {
	AERO_INFO_FILE,
	AERO_INFO_TAGS,
};

enum aero_cloud {
	AERO_CLOUD_EC2,
	AERO_CLOUD_LEASE,
	AERO_CLOUD_COMMAND,
};

/* Where a value came from, lowest first. */
enum aero_opt_from {
	AERO_FROM_DEFAULT,
	AERO_FROM_FILE,
	AERO_FROM_SERVER_FILE, /* aerostatd: /etc/aerostatd.conf, or AEROSTATD_CONF */
	AERO_FROM_ENV,
	AERO_FROM_FLAG,
};

/* All values. Strings are never NULL after aero_conf_load; '' = not set. */
struct aero_conf {
	/* keys */
	char *server, *server_file, *database, *info;
	int port, loglevel;
	char *domain;
	struct aero_list zones;
	int hosts_file;
	char *legacy_updater;
	int legacy_interval, legacy_timeout, poll_interval;
	int publish_quiet_ms, publish_max_ms;
	int shrink_min, shrink_percent, shrink_grace;
	bool set_hostname, service_names, heartbeat;
	int nscd;
	char *prometheus_file, *hooks_dir;
	char *service, *type;
	struct aero_list alias;
	char *instance_id, *ip, *ip6, *interface;
	int register_deadline;
	char *metadata_endpoint;
	bool metadata_v1;
	int info_source;
	char *identity_command, *root;
	/* of aerostatd */
	int poll, absent_passes, grace, reap_cap_percent, reap_cap_min;
	struct aero_list regions;
	char *endpoint, *credentials_file;
	int cloud;
	char *cloud_command;
	int lease;
	char *remote_repo_url, *repo_path, *git_cert;
	int config_update_freq;
	/* flags only */
	bool accept_shrink, check_config, repair_hosts, no_indexes;
	bool force, check, repair;
	/* actions and modes */
	bool do_register, do_change_master, do_update, do_update_configs;
	struct aero_list configs;
	bool daemon, once, dryrun, offline, json, enable, disable;
	char *format;
	bool help, version;
	/* bookkeeping */
	enum aero_opt_from *from;  /* one per row of the table */
	struct aero_list words;    /* positional words, in order */
	struct aero_list warnings; /* to be logged by main once the log is set up */
};

/* A row of the table. */
struct aero_option {
	const char *key; /* `foo_bar`: flag --foo-bar, environment AEROSTAT_FOO_BAR */
	enum aero_opt_type type;
	size_t offset;
	const char *def;
	int min, max;        /* INT */
	const char *values;  /* ENUM: names separated by '|' */
	bool flag_only;      /* neither in the file nor in the environment */
	unsigned programs;   /* who takes it as a flag and from the environment,
				AERO_PROG_* */
	const char *metavar; /* NULL: takes no value on the command line */
	const char *help;
};

extern const struct aero_option aero_options[];
extern const size_t aero_n_options;

/* Load defaults, file, environment (of environ) and argv into *ret. Errors: AERO_USAGE
 * (flags; the nearest flag is named), AERO_CONFIG (file: with file, line, column, key and
 * the nearest key; environment). aerostatd reads a second file, which beats the first and
 * may be older than we are: what is no YAML or an unknown key there is a warning, unless
 * check_config is set. *ret must be cleared by aero_conf_clear in any case.
 * `--help` and `--version` end the load early with AERO_OK. */
int aero_conf_load(enum aero_program program, int argc, char *const argv[],
	struct aero_conf *ret, struct aero_err *err);
/* A deep copy; false without memory. */
bool aero_conf_copy(const struct aero_conf *conf, struct aero_conf *ret);
void aero_conf_clear(struct aero_conf *conf);

/* Where the value of a key came from. */
enum aero_opt_from aero_conf_from(const struct aero_conf *conf, const char *key);
/* The same in words: "the command line". */
const char *aero_conf_from_words(const struct aero_conf *conf, const char *key);

/* Print usage, actions and options of a program to stdout, from the table. */
void aero_conf_help(enum aero_program program, const char *usage);

/* A built-in path below the root prefix: "/etc/hosts" -> "DIR/etc/hosts"; malloc'd. */
char *aero_conf_path(const struct aero_conf *conf, const char *path);
/* How often this node sends a heartbeat; 0: none. Every 30 s, or a third of a shorter
 * lease. */
int64_t aero_conf_heartbeat_ms(const struct aero_conf *conf);
/* root is `/`. */
bool aero_conf_real_root(const struct aero_conf *conf);

/* The server URI that counts: `server`, or what server_file holds (which wins over the
 * default and the file, not over a flag). malloc'd in *ret. */
int aero_conf_server(const struct aero_conf *conf, char **ret, struct aero_err *err);

/* The candidate nearest to word, or NULL if none is near (edit distance over a third). */
const char *aero_nearest(const char *word, const char *const *candidates, size_t n);

#endif
