/* SPDX-License-Identifier: MIT */
/* The table of options: a new option is a new row here and a member of aero_conf. */
#include "config.h"

#include "lib/conf.h"

#define AT(member) offsetof(struct aero_conf, member)
#define ANY AERO_PROG_ANY
#define CLI AERO_PROG_CLI
#define SERVER AERO_PROG_SERVER
#define SYNC (AERO_PROG_CLI | AERO_PROG_SYNCD)

/* Whose the keys that follow are. */
#define FOR ANY
#define STR(key, default, metavar, help) \
	{ \
#key, AERO_OPT_STR, AT(key), default, 0, 0, NULL, false, FOR, metavar, \
			help \
	}
#define INT(key, default, min, max, help) \
	{ \
#key, AERO_OPT_INT, AT(key), default, min, max, NULL, false, FOR, "N", \
			help \
	}
#define BOOL(key, default, help) \
	{ \
#key, AERO_OPT_BOOL, AT(key), default, 0, 0, NULL, false, FOR, "BOOL", \
			help \
	}
#define ENUM(key, default, values, help) \
	{ \
#key, AERO_OPT_ENUM, AT(key), default, 0, 0, values, false, FOR, values, \
			help \
	}
#define LIST(key, metavar, help) \
	{ \
#key, AERO_OPT_LIST, AT(key), "", 0, 0, NULL, false, FOR, metavar, help \
	}
/* A switch of the command line alone. */
#define FLAG(key, member, programs, help) \
	{ \
		key, AERO_OPT_BOOL, AT(member), "false", 0, 0, NULL, true, programs, \
			NULL, help \
	}

/* clang-format off */
const struct aero_option aero_options[] = {
	FLAG("register", do_register, CLI, "register this node and print its name"),
	FLAG("change_master", do_change_master, CLI | AERO_PROG_REGISTER,
		"make this node the master of its masterful service"),
	FLAG("update", do_update, CLI, "bring the mirror and /etc/hosts up to date"),
	FLAG("update_configs", do_update_configs, CLI,
		"fetch this node's configuration files from MongoDB"),
	{"configs", AERO_OPT_LIST, AT(configs), "", 0, 0, NULL, true, CLI, "\"A B\"",
		"with --update-configs: only these"},
	FLAG("daemon", daemon, CLI, "with --update: go on in the foreground"),
	FLAG("once", once, AERO_PROG_SYNCD | AERO_PROG_SERVER, "one pass, then exit"),
	FLAG("dryrun", dryrun, ANY, "show what would be done; write nothing, need no root"),
	FLAG("offline", offline, ANY, "not on EC2: make no metadata request"),
	FLAG("accept_shrink", accept_shrink, SYNC,
		"publish even if most names are gone (shrink_percent)"),
	FLAG("repair_hosts", repair_hosts, SYNC,
		"end an unfinished AEROSTAT block of /etc/hosts at the end of the file"),
	FLAG("no_indexes", no_indexes, CLI | AERO_PROG_REGISTER,
		"register even where the unique indexes are missing"),
	FLAG("force", force, SERVER, "reap above the cap, and what is absent above it"),
	FLAG("check", check, SERVER, "list what is wrong in the collection, then exit"),
	FLAG("repair", repair, SERVER, "mend it by a plan that is printed"),
	FLAG("check_config", check_config, ANY, "check the configuration, then exit"),
	FLAG("json", json, ANY, "print JSON"),
	{"format", AERO_OPT_STR, AT(format), "", 0, 0, NULL, true, CLI, "FORMAT",
		"of list: table, json, hosts, prometheus-sd, ansible or ssh"},
	FLAG("enable", enable, CLI, "of nsswitch: put the module into the file"),
	FLAG("disable", disable, CLI, "of nsswitch: take it out"),

	STR(server, "admin-master", "SERVER",
		"naming store: host[:port], a mongodb:// URI or lmdb:PATH"),
	STR(server_file, "", "FILE", "file that holds the server, to keep a URI out of ps"),
	INT(port, "27017", 1, 65535, "port of a server given as a host"),
	STR(database, "aerostat", "NAME", "MongoDB database"),
	ENUM(loglevel, "INFO", "DEBUG|INFO|WARNING|ERROR|CRITICAL", "least level logged"),
	STR(root, "/", "DIR", "prefix of all built-in paths (tests, image builds)"),

	STR(info, "", "FILE",
		"what this node runs: SERVICE [TYPE] [ALIAS...] (default "
		"/etc/aerostat_info)"),
	ENUM(info_source, "file", "file|tags", "read that from the file or from instance tags"),
	STR(service, "", "SERVICE", "service of this node, instead of aerostat_info"),
	STR(type, "", "TYPE", "service type: masterful or iterative"),
	LIST(alias, "ALIAS", "further name of this node; may be repeated"),
	STR(instance_id, "", "ID", "id of this node, instead of the metadata service's"),
	STR(ip, "", "ADDRESS", "address of this node"),
	STR(ip6, "", "ADDRESS", "IPv6 address of this node, as a second family"),
	STR(interface, "", "IF", "take the addresses of this network interface"),
	STR(identity_command, "", "PATH", "program that prints this node's identity as JSON"),
	INT(register_deadline, "300", 1, 86400, "seconds to go on trying to register"),
	STR(metadata_endpoint, "", "URL", "metadata service (default http://169.254.169.254)"),
	BOOL(metadata_v1, "false", "fall back to IMDSv1 where IMDSv2 is refused"),
	BOOL(set_hostname, "true", "set the system hostname to this node's name"),

	STR(domain, "", "DOMAIN", "names also answer as NAME.DOMAIN"),
	LIST(zones, "ZONE", "suffixes below which dotted names may answer; . = all"),
	BOOL(service_names, "false", "SERVICE answers with up to 8 live members"),
	ENUM(hosts_file, "full", "full|self|off", "what /etc/hosts holds"),
	STR(legacy_updater, "", "PATH", "program that writes /etc/hosts.legacy, run first"),
	INT(legacy_interval, "60", 1, 86400, "seconds between its runs"),
	INT(legacy_timeout, "60", 1, 3600, "seconds that one run may take"),
	INT(poll_interval, "60", 1, 3600, "seconds between reads where there is no stream"),
	INT(publish_quiet_ms, "20", 0, 10000, "ms of quiet before a publish"),
	INT(publish_max_ms, "200", 0, 60000, "ms that a change waits at most"),
	INT(shrink_min, "10", 0, 1000000, "the shrink guard watches from so many names"),
	INT(shrink_percent, "50", 0, 100, "and holds what has less than so many per cent left"),
	INT(shrink_grace, "600", 0, 86400, "for so many seconds"),
	BOOL(heartbeat, "false", "tell the store that this node lives; as cloud lease"),
	ENUM(nscd, "auto", "auto|off", "tell a running nscd of new names"),
	STR(prometheus_file, "", "FILE", "write node_exporter text there"),
	STR(hooks_dir, "/etc/aerostat/hooks.d", "DIR", "programs run after changes"),

#undef FOR
#define FOR ANY
	ENUM(cloud, "ec2", "ec2|lease|command", "who says which nodes live"),
	INT(lease, "90", 1, 86400, "cloud lease: seconds that a silent node lives"),

#undef FOR
#define FOR SERVER
	INT(poll, "60", 1, 3600, "seconds between passes"),
	STR(cloud_command, "", "PATH", "cloud command: program that prints their ids"),
	LIST(regions, "A,B", "regions of EC2 (default AWS_REGION, else us-east-1)"),
	STR(endpoint, "", "URL", "an EC2-compatible cloud instead of EC2"),
	STR(credentials_file, "/root/installer/.ec2", "FILE",
		"key id and secret key; where there is none, as the AWS tools"),
	INT(absent_passes, "3", 1, 100, "complete passes that must miss a node"),
	INT(grace, "300", 0, 86400, "and seconds that it must be known"),
	INT(reap_cap_percent, "20", 0, 100, "one pass reaps so many per cent at most,"),
	INT(reap_cap_min, "3", 0, 1000000, "or so many where that is more"),
	STR(remote_repo_url, "", "URL", "git repository of configuration files"),
	STR(repo_path, "", "DIR", "where its clone is kept"),
	STR(git_cert, "", "FILE", "ssh key for it"),
	INT(config_update_freq, "900", 1, 86400, "seconds between pulls"),

	FLAG("help", help, ANY, "print this and exit"),
	FLAG("version", version, ANY, "print the version and exit"),
};
/* clang-format on */

const size_t aero_n_options = sizeof(aero_options) / sizeof(aero_options[0]);
