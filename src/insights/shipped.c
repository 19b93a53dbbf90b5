/*-------------------------------------------------------------------------
 *
 * shipped.c
 *		The catalogue of datasets that ships with the extension.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/shipped.h"
#include "throw.h"

/* Made from catalog/datasets.json by the Makefile. */
extern const unsigned char pin_catalog_data[];
extern const size_t pin_catalog_data_len;

const PinCatalog *
pin_shipped_catalog(void)
{
	static PinCatalog *catalog = NULL;
	PinError	err;

	if (catalog == NULL)
		catalog = pin_catalog_parse((const char *) pin_catalog_data,
									pin_catalog_data_len, &err);
	if (catalog == NULL)
		pin_throw(&err, NULL, NULL);
	return catalog;
}
