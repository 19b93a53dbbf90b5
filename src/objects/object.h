/*-------------------------------------------------------------------------
 *
 * object.h
 *		The kinds of objects that the service keeps, and what is known of them.
 *
 * The table in object.c is the one list of them and of their columns: IMPORT,
 * planning, scans and changes all follow it.  docs/api-tables.md is its manual.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_H
#define PIN_OBJECT_H

#include <stdbool.h>

/* What a column's values are, and so what type it has. */
typedef enum PinObjectType
{
	PIN_OBJECT_ID,				/* text: an id, without blanks around it */
	PIN_OBJECT_TEXT,			/* text: as it came */
	PIN_OBJECT_WORD,			/* text: a word as the documents spell it */
	PIN_OBJECT_INTEGER,			/* integer */
	PIN_OBJECT_BOOLEAN,			/* boolean */
	PIN_OBJECT_TIME,			/* timestamptz */
	PIN_OBJECT_TEXTS,			/* text[] */
	PIN_OBJECT_RAW,				/* jsonb: the whole object */
	PIN_OBJECT_LATEST			/* boolean: the report's latest execution? */
} PinObjectType;

/* What a condition on a column does to the call that lists the objects. */
typedef enum PinObjectUse
{
	PIN_USE_NONE,				/* nothing */
	PIN_USE_PARAMETER,			/* a parameter with one value */
	PIN_USE_SEVERAL,			/* a parameter with values between semicolons */
	PIN_USE_PATH,				/* a call for each value, which is in its path */
	PIN_USE_SYSTEM,				/* system queries, or others, are left out */
	PIN_USE_LATEST				/* only the latest execution is asked for */
} PinObjectUse;

typedef struct PinObjectColumn
{
	const char *name;			/* of the column */
	const char *key;			/* member of the object; also what option
								 * column_name says */
	PinObjectType type;			/* see above */
	PinObjectUse use;			/* see above */
	const char *parameter;		/* of the address; NULL: none */
	const char *const *words;	/* of a WORD: the documented ones, then NULL */
} PinObjectColumn;

typedef enum PinObjectKind
{
	PIN_DATASETS,
	PIN_QUERIES,
	PIN_REPORTS,
	PIN_EXECUTIONS
} PinObjectKind;

typedef struct PinObject
{
	PinObjectKind kind;			/* which one */
	const char *name;			/* "reports": option api_object, and table */
	const char *list;			/* "list reports": what a call does */
	const char *path;			/* of the list, after the program */
	const PinObjectColumn *columns; /* the first one tells objects apart */
	int			ncolumns;		/* how many */
	double		usual_rows;		/* a guess for the planner */
} PinObject;

/* All kinds, in the order of PinObjectKind. */
#define PIN_OBJECT_KINDS 4
extern const PinObject pin_objects[PIN_OBJECT_KINDS];

/* A kind by its name; NULL: there is none. */
extern const PinObject *pin_object_find(const char *name);

/*
 * A column by its name or key, not minding case and underscores; NULL: there is
 * none.
 */
extern const PinObjectColumn *pin_object_column(const PinObject *object, const char *name);

/* The SQL type of a column, as IMPORT writes it. */
extern const char *pin_object_sql_type(const PinObjectColumn *column);

/* A word as the documents spell it; itself, if they do not know it. */
extern const char *pin_object_word(const PinObjectColumn *column, const char *word);

#endif							/* PIN_OBJECT_H */
