/*-------------------------------------------------------------------------
 *
 * blob.c
 *		Downloads: signed links and the port that honours them.
 *
 * Behaves as Azure Storage does: a link is a shared access signature over the
 * path and its parameters, an Authorization header wins over it and is
 * refused, ranges address the stored bytes, errors are XML.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "blob.h"

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "text.h"

#define VERSION "2021-08-06"
#define FOLDER "/reports/"

/* Base64 of the HMAC over what the link promises; malloc'd. */
static char *
sign(const Emulator *emu, const char *path, const char *expires, const char *version,
	 const char *resource, const char *permissions)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned	length = 0;
	char	   *text = emu_format("%s\n%s\n%s\n%s\n%s", permissions, expires, path,
								  version, resource);
	char	   *signature;

	HMAC(EVP_sha256(), emu->link_key, sizeof emu->link_key,
		 (unsigned char *) text, strlen(text), digest, &length);
	signature = emu_base64(digest, length, false);
	free(text);
	return signature;
}

char *
emu_blob_link(const Emulator *emu, const char *file, time_t expires)
{
	char		when[EMU_TIME_SIZE];
	char	   *path = emu_format(FOLDER "%s", file);
	char	   *signature;
	char	   *when_encoded;
	char	   *signature_encoded;
	char	   *link;

	emu_time_text(expires, when);
	signature = sign(emu, path, when, VERSION, "b", "r");
	when_encoded = emu_percent_encode(when);
	signature_encoded = emu_percent_encode(signature);
	link = emu_format("%s%s?sv=" VERSION "&se=%s&sr=b&sp=r&sig=%s", emu->blob_url,
					  path, when_encoded, signature_encoded);
	free(path);
	free(signature);
	free(when_encoded);
	free(signature_encoded);
	return link;
}

static void
refuse(EmuReply *reply, int status, const char *code, const char *message,
	   const char *detail)
{
	char		id[EMU_UUID_SIZE];
	char	   *text;

	emu_uuid(id);
	text = emu_format("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error>"
					  "<Code>%s</Code><Message>%s\nRequestId:%s</Message>"
					  "%s%s%s</Error>", code, message, id,
					  detail ? "<AuthenticationErrorDetail>" : "",
					  detail ? detail : "",
					  detail ? "</AuthenticationErrorDetail>" : "");
	emu_reply_header(reply, "x-ms-error-code", code);
	emu_reply_header(reply, "x-ms-request-id", id);
	emu_reply_body(reply, status, "application/xml", text);
}

static const char *
parameter(const EmuRequest *request, const char *name)
{
	const char *value = emu_params_get(request->query, name);

	return value != NULL ? value : "";
}

/* True if the signature is ours, over exactly these parameters. */
static bool
signature_matches(const EmuRequest *request)
{
	const char *given = parameter(request, "sig");
	char	   *right = sign(request->emu, request->path, parameter(request, "se"),
							 parameter(request, "sv"), parameter(request, "sr"),
							 parameter(request, "sp"));
	bool		same = strlen(given) == strlen(right) &&
	CRYPTO_memcmp(given, right, strlen(right)) == 0;

	free(right);
	return same && strchr(parameter(request, "sp"), 'r') != NULL;
}

/* Answers and returns false unless the link opens the file now. */
static bool
admit(const EmuRequest *request, EmuReply *reply)
{
	time_t		expires;

	if (emu_request_header(request, "Authorization") != NULL)
	{
		refuse(reply, 401, "InvalidAuthenticationInfo",
			   "Authentication information is not given in the correct format. "
			   "Check the value of Authorization header.", NULL);
		return false;
	}
	if (!signature_matches(request))
	{
		refuse(reply, 403, "AuthenticationFailed",
			   "Server failed to authenticate the request.",
			   "Signature did not match.");
		return false;
	}
	if (!emu_time_parse(parameter(request, "se"), &expires) ||
		expires <= emu_now(request->emu->switches) ||
		(request->fault != NULL && request->fault->expired_link))
	{
		refuse(reply, 403, "AuthenticationFailed",
			   "Server failed to authenticate the request.",
			   "Signature not valid in the specified time frame.");
		return false;
	}
	return true;
}

/*
 * Reads "bytes=a-" or "bytes=a-b".  1: a range, 0: none or one we ignore,
 * -1: it begins beyond the end.
 */
static int
parse_range(const char *text, uint64_t size, uint64_t *first, uint64_t *last)
{
	char		rest[2];
	int			fields;

	if (text == NULL || strncmp(text, "bytes=", 6) != 0)
		return 0;
	text += 6;
	fields = sscanf(text, "%" SCNu64 "-%" SCNu64 "%1s", first, last, rest);
	if (*text < '0' || *text > '9' || strchr(text, '-') == NULL ||
		fields < 1 || fields > 2 || (fields == 1 && text[strlen(text) - 1] != '-'))
		return 0;
	if (*first >= size)
		return -1;
	if (fields == 1 || *last >= size)
		*last = size - 1;
	return *last >= *first;
}

static void
common_headers(const EmuStoredFile *file, EmuReply *reply)
{
	char		date[64];
	struct tm	tm;

	gmtime_r(&file->modified, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	emu_reply_header(reply, "Content-Type", "application/octet-stream");
	emu_reply_header(reply, "ETag", file->etag);
	emu_reply_header(reply, "Last-Modified", date);
	emu_reply_header(reply, "Accept-Ranges", "bytes");
	emu_reply_header(reply, "x-ms-version", VERSION);
	emu_reply_header(reply, "x-ms-blob-type", "BlockBlob");
}

/* Chooses the bytes to send; answers and returns false if there are none. */
static bool
choose_bytes(const EmuRequest *request, const EmuStoredFile *file, EmuReply *reply)
{
	const char *range = emu_request_header(request, "x-ms-range");
	uint64_t	first = 0;
	uint64_t	last = 0;
	char	   *text;
	int			found;

	if (range == NULL)
		range = emu_request_header(request, "Range");
	found = parse_range(range, file->size, &first, &last);
	if (found == 0)
		return true;
	if (found < 0)
	{
		text = emu_format("bytes */%" PRIu64, file->size);
		emu_reply_header(reply, "Content-Range", text);
		free(text);
		refuse(reply, 416, "InvalidRange",
			   "The range specified is invalid for the current size of the resource.",
			   NULL);
		return false;
	}
	text = emu_format("bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, last, file->size);
	emu_reply_header(reply, "Content-Range", text);
	free(text);
	reply->status = 206;
	reply->file_at = first;
	reply->size = last - first + 1;
	return true;
}

static void
send_file(const EmuRequest *request, const EmuStoredFile *file, EmuReply *reply)
{
	EmuSettings settings;

	emu_switchboard_read(request->emu->switches, &settings);
	reply->size = file->size;
	if (!choose_bytes(request, file, reply))
		return;
	reply->file = open(file->path, O_RDONLY | O_CLOEXEC);
	if (reply->file < 0)
	{
		refuse(reply, 404, "BlobNotFound", "The specified blob does not exist.", NULL);
		return;
	}
	common_headers(file, reply);
	if (file->gzip && settings.content_encoding)
		emu_reply_header(reply, "Content-Encoding", "gzip");
	if (settings.content_md5)
		emu_reply_header(reply, reply->status == 206 ? "x-ms-blob-content-md5" :
						 "Content-MD5", file->md5);
	reply->chunked = !settings.content_length;
}

static void
serve_download(const EmuRequest *request, EmuReply *reply)
{
	const char *match = emu_request_header(request, "If-Match");
	EmuStoredFile file;

	if (!admit(request, reply))
		return;
	if (!emu_store_find_file(request->emu->store, request->path + strlen(FOLDER), &file))
		refuse(reply, 404, "BlobNotFound", "The specified blob does not exist.", NULL);
	else if (match != NULL && strcmp(match, "*") != 0 && strcmp(match, file.etag) != 0)
		refuse(reply, 412, "ConditionNotMet",
			   "The condition specified using HTTP conditional header(s) is not met.",
			   NULL);
	else
		send_file(request, &file, reply);
}

const EmuRoute *
emu_blob_route(const EmuRequest *request)
{
	static const EmuRoute download = {"download", "blob", serve_download};

	if (strncmp(request->path, FOLDER, strlen(FOLDER)) != 0 ||
		(strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0))
		return NULL;
	return &download;
}
