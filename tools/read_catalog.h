/*-------------------------------------------------------------------------
 *
 * read_catalog.h
 *		Reads catalog/datasets.json, for the build alone.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_READ_CATALOG_H
#define PIN_READ_CATALOG_H

#include "insights/catalog.h"

typedef struct PinCatalogFile PinCatalogFile;

/*
 * Reads a catalogue.  NULL with *err filled (kind INTERNAL, which names the
 * place: the file is ours).  The caller frees it.
 */
extern PinCatalogFile *pin_catalog_parse(const char *json, size_t len, PinError *err);
extern void pin_catalog_free(PinCatalogFile *file); /* NULL is fine */

/* What was read, which lives as long. */
extern const PinCatalog *pin_catalog_of(const PinCatalogFile *file);

#endif							/* PIN_READ_CATALOG_H */
