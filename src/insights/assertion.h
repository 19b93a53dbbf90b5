/*-------------------------------------------------------------------------
 *
 * assertion.h
 *		How an application proves itself with a certificate: it signs a short
 *		statement, the client assertion, with the certificate's key.
 *
 * Certificate and key come as PEM texts.  Nothing of a key is ever repeated
 * in an error.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ASSERTION_H
#define PIN_ASSERTION_H

#include <stdbool.h>
#include <time.h>

#include "error.h"

typedef enum PinSignature
{
	PIN_SIGNATURE_PS256,		/* header names the certificate by SHA-256 */
	PIN_SIGNATURE_RS256			/* the older way: by SHA-1 */
} PinSignature;

/* What a certificate says about itself. */
typedef struct PinCertificateInfo
{
	time_t		not_before;		/* valid from */
	time_t		not_after;		/* valid to */
	char		thumbprint[41]; /* SHA-1 in hexadecimal, as portals show it */
} PinCertificateInfo;

/*
 * Reads the certificate and makes sure that the key is its own and fit to sign
 * with.  False with *err filled (kind SIGN_IN): the detail says what is wrong.
 */
extern bool pin_certificate_check(const char *certificate, const char *private_key,
								  PinCertificateInfo *info, PinError *err);

/*
 * An assertion of client_id for the token endpoint audience, which the caller
 * frees; good for ten minutes from now.  NULL with *err filled as above, or
 * of kind OUT_OF_MEMORY or INTERNAL.
 */
extern char *pin_assertion_create(const char *certificate, const char *private_key,
								  PinSignature signature, const char *client_id,
								  const char *audience, time_t now, PinError *err);

#endif							/* PIN_ASSERTION_H */
