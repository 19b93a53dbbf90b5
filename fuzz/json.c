/*-------------------------------------------------------------------------
 *
 * json.c
 *		Fuzz target: the JSON reader and the catalogue over any bytes.
 *
 * A document that is read must be one that can be walked: every accessor is
 * called on every value of it.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "insights/catalog.h"
#include "insights/json.h"
#include "tools/read_catalog.h"


/* Walks a value; depth says how deep it is, from 1. */
static void
walk(const PinJson *value, int depth)
{
	int64_t		number;
	bool		truth;
	char	   *text = pin_json_text(value);

	FUZZ_EXPECT(depth <= PIN_JSON_DEPTH_MAX + 1);
	if (pin_json_string(value))
		FUZZ_EXPECT(text != NULL && strcmp(text, pin_json_string(value)) == 0);
	free(text);
	pin_json_integer(value, &number);
	pin_json_boolean(value, &truth);
	pin_json_is_null(value);
	pin_json_member(value, "value");
	for (size_t i = 0; pin_json_is_array(value) && i < pin_json_count(value); i++)
		walk(pin_json_element(value, i), depth + 1);
	if (pin_json_is_object(value))
		walk(pin_json_member(value, "a"), depth + 1);
}

/* Without escapes it is the same document. */
static void
check_unescaped(const PinJson *document, const char *text, size_t len)
{
	PinError	err;
	size_t		shorter;
	char	   *unescaped = pin_json_unescape(text, len, &shorter);
	PinJson    *same = pin_json_parse(unescaped, shorter, "the same", &err);
	char	   *dump = pin_json_dump(document);
	char	   *same_dump = pin_json_dump(same);

	FUZZ_EXPECT(shorter <= len && same != NULL && strcmp(dump, same_dump) == 0);
	free(dump);
	free(same_dump);
	pin_json_free(same);
	free(unescaped);
}

static void
walk_catalog(const PinCatalog *catalog)
{
	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
	{
		const PinCatalogDataset *dataset = pin_catalog_at(catalog, i);

		FUZZ_EXPECT(dataset->ncolumns > 0 && dataset->name != NULL);
		FUZZ_EXPECT(pin_catalog_column(dataset, dataset->columns[0].name) != NULL);
	}
	pin_catalog_dataset(catalog, "mpn", "azure_usage");
	pin_catalog_nearest_dataset(catalog, "mpn", "azure_usage");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PinError	err;
	PinJson    *document = pin_json_parse((const char *) data, size, "the text", &err);
	PinCatalogFile *file;

	FUZZ_EXPECT((document == NULL) == (err.kind != PIN_ERROR_NONE));
	if (document)
	{
		walk(document, 1);
		check_unescaped(document, (const char *) data, size);
	}
	pin_json_free(document);

	file = pin_catalog_parse((const char *) data, size, &err);
	FUZZ_EXPECT((file == NULL) == (err.kind != PIN_ERROR_NONE));
	if (file)
		walk_catalog(pin_catalog_of(file));
	pin_catalog_free(file);
	return 0;
}

FUZZ_MAIN(FUZZ_SEED("{\"value\":[{\"a\":{\"a\":[1,2.5,\"x\\u00e4\",null,true]}}],\"n\":\"12\"}"),
		  FUZZ_SEED("[\"\\\\\\u00e4 \\ud83d\\ude00\\u0001\\u07ff\\ufffd\"]"),
		  FUZZ_SEED("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
		  FUZZ_SEED("\xEF\xBB\xBF{\" A \":123456789012345678901234567890}"),
		  FUZZ_SEED("{\"datasets\":[{\"program\":\"mpn\",\"name\":\"AzureUsage\",\"columns\":[{\"name\":\"A\","
					"\"type\":\"text\"}],\"metrics\":[{\"name\":\"B\",\"type\":\"numeric\"}],\"date_ranges\":"
					"[\"LIFETIME\"],\"refresh_days\":4,\"system_query\":{\"id\":\"1\",\"columns\":[\"A\"]}}]}"));
