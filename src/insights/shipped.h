/*-------------------------------------------------------------------------
 *
 * shipped.h
 *		The catalogue of datasets that ships with the extension.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SHIPPED_H
#define PIN_SHIPPED_H

#include "insights/catalog.h"

/*
 * catalog/datasets.json, which is built into the library: read when it is
 * first needed and kept for the session.  Throws if it cannot be read.
 */
extern const PinCatalog *pin_shipped_catalog(void);

#endif							/* PIN_SHIPPED_H */
