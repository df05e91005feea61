/* SPDX-License-Identifier: MIT */
/*
 * What the driver and the server say, in our codes. Words never hold credentials: the
 * driver names hosts, the server names commands and keys.
 */
#include "config.h"

#include <string.h>

#include "lib/store_mongo.h"

/* Codes of the server. What is not here was refused before anything was done. */
static const struct row {
	uint32_t code;
	enum aero_mongo_kind kind;
} rows[] = {
	{6, AERO_MONGO_TRANSIENT},    /* HostUnreachable */
	{7, AERO_MONGO_TRANSIENT},    /* HostNotFound */
	{11, AERO_MONGO_AUTH},        /* UserNotFound */
	{13, AERO_MONGO_PERM},        /* Unauthorized */
	{18, AERO_MONGO_AUTH},        /* AuthenticationFailed */
	{20, AERO_MONGO_NO_TXN},      /* IllegalOperation: on a standalone */
	{26, AERO_MONGO_MISSING},     /* NamespaceNotFound */
	{43, AERO_MONGO_TRANSIENT},   /* CursorNotFound */
	{50, AERO_MONGO_TRANSIENT},   /* MaxTimeMSExpired */
	{63, AERO_MONGO_TRANSIENT},   /* StaleShardVersion */
	{64, AERO_MONGO_TRANSIENT},   /* WriteConcernFailed: applied here, no majority yet
				       */
	{79, AERO_MONGO_TRANSIENT},   /* UnknownReplWriteConcern: applied */
	{89, AERO_MONGO_TRANSIENT},   /* NetworkTimeout */
	{91, AERO_MONGO_TRANSIENT},   /* ShutdownInProgress */
	{94, AERO_MONGO_TRANSIENT},   /* NotYetInitialized */
	{100, AERO_MONGO_TRANSIENT},  /* UnsatisfiableWriteConcern: applied */
	{112, AERO_MONGO_TRANSIENT},  /* WriteConflict */
	{115, AERO_MONGO_NO_STREAM},  /* CommandNotSupported */
	{133, AERO_MONGO_TRANSIENT},  /* FailedToSatisfyReadPreference */
	{134, AERO_MONGO_TRANSIENT},  /* ReadConcernMajorityNotAvailableYet */
	{136, AERO_MONGO_LOST},       /* CappedPositionLost */
	{150, AERO_MONGO_TRANSIENT},  /* StaleEpoch */
	{175, AERO_MONGO_TRANSIENT},  /* QueryPlanKilled */
	{189, AERO_MONGO_TRANSIENT},  /* PrimarySteppedDown */
	{202, AERO_MONGO_TRANSIENT},  /* NetworkInterfaceExceededTimeLimit */
	{234, AERO_MONGO_TRANSIENT},  /* RetryChangeStream */
	{238, AERO_MONGO_NO_STREAM},  /* NotImplemented */
	{260, AERO_MONGO_LOST},       /* InvalidResumeToken */
	{262, AERO_MONGO_TRANSIENT},  /* ExceededTimeLimit */
	{263, AERO_MONGO_NO_TXN},     /* OperationNotSupportedInTransaction */
	{280, AERO_MONGO_LOST},       /* ChangeStreamFatalError */
	{286, AERO_MONGO_LOST},       /* ChangeStreamHistoryLost */
	{8000, AERO_MONGO_AUTH},      /* Atlas: authentication */
	{9001, AERO_MONGO_TRANSIENT}, /* SocketException */
	{10058, AERO_MONGO_TRANSIENT}, /* LegacyNotPrimary */
	{10107, AERO_MONGO_TRANSIENT}, /* NotWritablePrimary */
	{10334, AERO_MONGO_LOST},      /* BSONObjectTooLarge: an event over 16 MB */
	{11000, AERO_MONGO_DUP},       /* DuplicateKey */
	{11001, AERO_MONGO_DUP},
	{11600, AERO_MONGO_TRANSIENT}, /* InterruptedAtShutdown */
	{11601, AERO_MONGO_TRANSIENT}, /* Interrupted */
	{11602, AERO_MONGO_TRANSIENT}, /* InterruptedDueToReplStateChange */
	{12582, AERO_MONGO_DUP}, {13388, AERO_MONGO_TRANSIENT}, /* StaleConfig */
	{13435, AERO_MONGO_TRANSIENT}, /* NotPrimaryNoSecondaryOk */
	{13436, AERO_MONGO_TRANSIENT}, /* NotPrimaryOrSecondary */
	{40324, AERO_MONGO_NO_STREAM}, /* unrecognized pipeline stage */
	{40573, AERO_MONGO_NO_STREAM}, /* $changeStream needs a replica set */
	{40647, AERO_MONGO_LOST},      /* a resume token of another stream */
	{40649, AERO_MONGO_LOST},      /* a malformed resume token */
	{50811, AERO_MONGO_LOST},      /* a garbage resume token */
};

static enum aero_mongo_kind kind_of_code(uint32_t code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return rows[i].kind;
	return AERO_MONGO_OTHER;
}

enum aero_mongo_kind aero_mongo_kind_of(const bson_t *reply, const bson_error_t *error)
{
	if (reply != NULL &&
		mongoc_error_has_label(reply, "NonResumableChangeStreamError"))
		return AERO_MONGO_LOST;
	if (reply != NULL && mongoc_error_has_label(reply, "TransientTransactionError"))
		return AERO_MONGO_TRANSIENT;
	switch (error->domain) {
	case MONGOC_ERROR_PROTOCOL:
		return error->code == MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION
			       ? AERO_MONGO_WIRE
			       : AERO_MONGO_TRANSIENT;
	case MONGOC_ERROR_SERVER_SELECTION:
	case MONGOC_ERROR_STREAM:
	case MONGOC_ERROR_WRITE_CONCERN:
	case MONGOC_ERROR_COMMAND: /* the server went between choosing and sending */
	case MONGOC_ERROR_POOL:
		return AERO_MONGO_TRANSIENT;
	case MONGOC_ERROR_SASL:
	case MONGOC_ERROR_SCRAM:
		return AERO_MONGO_AUTH;
	case MONGOC_ERROR_CLIENT:
		return error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE ? AERO_MONGO_AUTH
								       : AERO_MONGO_OTHER;
	default:
		return kind_of_code(error->code);
	}
}

/* What the driver says of connections, and what to do about it. */
static const struct {
	const char *said, *hint;
} hints[] = {
	{"certificate verify failed (10)",
		"; the server needs a new certificate (or the clock here is wrong)"},
	{"certificate verify failed (9)", "; the server's certificate is not valid yet "
					  "(or the clock here is wrong)"},
	{"certificate verify failed (62)",
		"; the server's certificate must hold the name by which it is called"},
	{"certificate verify failed (64)",
		"; the server's certificate must hold the address by which it is called"},
	{"certificate verify failed",
		"; tlsCAFile must hold the authority of the server's certificate"},
	{"Failed initialize TLS state", "; tlsCAFile and tlsCertificateKeyFile must be "
					"readable PEM, the key that of "
					"the certificate"},
	{"TLS handshake failed", "; does this server speak TLS, and want a certificate "
				 "(tlsCertificateKeyFile)?"},
};

/* The first that fits; nothing for what speaks for itself. */
static const char *hint_of(
	const struct aero_mongo_place *place, const bson_error_t *error)
{
	if (error->domain != MONGOC_ERROR_SERVER_SELECTION)
		return "";
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strstr(error->message, hints[i].said) != NULL)
			return hints[i].hint;
	if (strstr(error->message, "Failed to read 4 bytes") == NULL)
		return "";
	return place->store->uri != NULL && mongoc_uri_get_tls(place->store->uri)
		       ? "; it is frozen, no MongoDB, or refuses our certificate "
			 "(tlsCertificateKeyFile)"
		       : "; it is frozen, no MongoDB, or wants TLS (tls=true)";
}

int aero_mongo_read_error(const struct aero_mongo_place *place, const bson_t *reply,
	const bson_error_t *error, struct aero_err *err)
{
	const char *name = aero_store_name(&place->store->base);
	const char *database = place->store->database;
	enum aero_mongo_kind kind = aero_mongo_kind_of(reply, error);

	switch (kind) {
	case AERO_MONGO_TRANSIENT:
		return aero_err_set(err, AERO_NET, "cannot reach %.120s: %.240s%s", name,
			error->message, hint_of(place, error));
	case AERO_MONGO_PERM:
		return aero_err_set(err, AERO_PERM,
			"%.120s: the user's role lacks a privilege; it needs {resource: "
			"{db: "
			"'%s', collection: '%s'}, actions: [%s]}",
			name, database, place->collection, place->actions);
	case AERO_MONGO_AUTH:
		return aero_err_set(err, AERO_PERM,
			"%.120s: authentication failed; see user, password and "
			"authSource of "
			"the server URI",
			name);
	case AERO_MONGO_WIRE:
		return aero_err_set(
			err, AERO_CONFIG, "%.120s: %.300s", name, error->message);
	case AERO_MONGO_LOST:
		return aero_err_set(err, AERO_LOST,
			"%.120s: the change stream cannot go on (%u: %.200s)", name,
			error->code, error->message);
	case AERO_MONGO_OTHER:
	case AERO_MONGO_DUP:
	case AERO_MONGO_MISSING:
	case AERO_MONGO_NO_STREAM:
	case AERO_MONGO_NO_TXN:
	default:
		return aero_err_set(err,
			kind == AERO_MONGO_NO_TXN && place->store->in_txn ? AERO_REFUSED
									  : AERO_DB,
			"%.120s: %s.%s: %.200s (%u)", name, database, place->collection,
			error->message, error->code);
	}
}

/* The sub-document key of an error: at the top, or in the first of writeErrors. */
static bool find_detail(const bson_t *reply, const char *key, bson_t *ret)
{
	static const char *const paths[] = {"", "writeErrors.0."};
	bson_iter_t it, at;
	char path[64];
	const uint8_t *data;
	uint32_t len;

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", paths[i], key);
		if (bson_iter_init(&it, reply) &&
			bson_iter_find_descendant(&it, path, &at) &&
			BSON_ITER_HOLDS_DOCUMENT(&at)) {
			bson_iter_document(&at, &len, &data);
			return bson_init_static(ret, data, len);
		}
	}
	return false;
}

/* Which unique index it was: servers before 4.2 name it in words only. */
static int duplicate(const bson_t *reply, const bson_error_t *error, struct aero_err *err)
{
	static const struct {
		const char *key, *index;
		int rc;
	} indexes[] = {
		{"hostname", "index: aero_hostname", AERO_DUP_HOSTNAME},
		{"instance_id", "index: aero_instance", AERO_DUP_INSTANCE},
	};
	bson_t pattern, value;
	bool known = find_detail(reply, "keyPattern", &pattern);
	char *json = find_detail(reply, "keyValue", &value)
			     ? bson_as_relaxed_extended_json(&value, NULL)
			     : NULL;
	int rc = AERO_MISS;

	for (size_t i = 0; i < 2; i++)
		if (known ? bson_has_field(&pattern, indexes[i].key)
			  : strstr(error->message, indexes[i].index) != NULL)
			rc = indexes[i].rc;
	(void)aero_err_set(err, rc, "another document has %.300s already",
		json != NULL ? json : error->message);
	bson_free(json);
	return rc;
}

int aero_mongo_write_error(const struct aero_mongo_place *place, const bson_t *reply,
	const bson_error_t *error, struct aero_err *err)
{
	unsigned sent = place->store->sent;
	enum aero_mongo_kind kind = aero_mongo_kind_of(reply, error);
	bool unclear = kind == AERO_MONGO_TRANSIENT && sent > 0;

	if (kind == AERO_MONGO_DUP)
		return duplicate(reply, error, err);
	/* Sent, then the driver's second try could not log in: about the first, nothing.
	 */
	if (kind == AERO_MONGO_AUTH && sent > 0)
		unclear = true;
	if (!unclear)
		return aero_mongo_read_error(place, reply, error, err);
	return aero_err_set(err, AERO_AMBIGUOUS,
		"%.120s: no answer whether %s.%s was changed: %.250s",
		aero_store_name(&place->store->base), place->store->database,
		place->collection, error->message);
}
