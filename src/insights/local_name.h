/*-------------------------------------------------------------------------
 *
 * local_name.h
 *		From remote names to PostgreSQL's identifiers.
 *
 * By default the words of a remote name in small letters, joined by "_":
 * CustomerTenantId becomes customer_tenant_id.  Or the remote spelling itself.
 *
 * What is too long for an identifier is shortened word by word: the longest
 * words lose their ends, all down to the same length, until the name fits.
 * That depends on nothing but the name.  Names of one table that turn out alike
 * end in a hash of their remote name, all but the one whose remote name parts
 * its words itself, if there is one such: of PGA_MPNId and PGAMpnId the first
 * is pga_mpn_id.  The order of columns has no part in it.
 *
 * Plain C; nothing here fails but for lack of memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_LOCAL_NAME_H
#define PIN_LOCAL_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Longest identifier, bytes. */
#define PIN_LOCAL_NAME_MAX 63
typedef char PinLocalName[PIN_LOCAL_NAME_MAX + 1];

typedef enum PinNameStyle
{
	PIN_NAME_SNAKE,				/* customer_tenant_id */
	PIN_NAME_PRESERVE			/* CustomerTenantId */
} PinNameStyle;

/*
 * The local name of one remote name, after a prefix (may be ""; kept as it is,
 * so it has to leave names some room).
 */
extern void pin_local_name(PinLocalName local, const char *prefix,
						   const char *remote, PinNameStyle style);

/*
 * The local names of all columns (or tables) of one place, unique there as long
 * as the remote names are.  False when memory ran out.
 */
extern bool pin_local_names(PinLocalName *locals, const char *prefix,
							const char *const *remotes, size_t count,
							PinNameStyle style);

#endif							/* PIN_LOCAL_NAME_H */
