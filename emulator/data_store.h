/*
 * data_store.h
 *		The database synthetic data lives in.
 *
 * One SQLite file, one table per dataset, made when first asked for, each in
 * one transaction.  A table made earlier with the same rows, seed and day is
 * kept; any other is made anew.
 */
#ifndef EMU_DATA_STORE_H
#define EMU_DATA_STORE_H

#include <sqlite3.h>

#include "data.h"

typedef struct EmuStoreFile EmuStoreFile;

/* path NULL: a temporary file, removed on close.  NULL with a message in err. */
extern EmuStoreFile *emu_data_store_open(const char *path, const EmuDataOptions *options,
										 char *err, size_t errsize);
extern void emu_data_store_close(EmuStoreFile *store);

/* Makes the dataset's table unless it is there. */
extern bool emu_data_store_make(EmuStoreFile *store, const EmuDataset *dataset,
								char *err, size_t errsize);

/*
 * A connection of the caller's own for reading, with our functions.  To be
 * closed with sqlite3_close; NULL with a message in err.
 */
extern sqlite3 *emu_data_store_reader(EmuStoreFile *store, char *err, size_t errsize);

#endif							/* EMU_DATA_STORE_H */
