/* SPDX-License-Identifier: MIT */
/* ask SERVER INSTANCE: what that instance is called, and who leads its service. */
#include <aerostat.h>
#include <stdio.h>

int main(int argc, char *argv[])
{
	struct aerostat_host host, master;
	struct aerostat *aerostat = NULL;
	int code;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: ask SERVER INSTANCE\n");
		return AEROSTAT_USAGE;
	}
	code = aerostat_connect(argv[1], &aerostat);
	if (code == AEROSTAT_OK)
		code = aerostat_get_hostname(aerostat, argv[2], &host);
	if (code == AEROSTAT_OK) {
		(void)printf("%s %s %s\n", host.hostname, host.service, host.ip);
		code = aerostat_get_master(aerostat, host.service, &master);
	}
	if (code == AEROSTAT_OK)
		(void)printf("master %s %s epoch %lld%s\n", master.instance_id, master.ip,
			(long long)master.epoch,
			aerostat_check_master(aerostat, argv[2]) == AEROSTAT_OK
				? " (itself)"
				: "");
	if (code != AEROSTAT_OK)
		(void)fprintf(stderr, "ask: %s\n", aerostat_error(aerostat));
	aerostat_disconnect(aerostat);
	return code;
}
