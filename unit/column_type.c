/*-------------------------------------------------------------------------
 *
 * column_type.c
 *		Tests of the guess of a column's type.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/column_type.h"
#include "tap.h"

static void
name(const char *remote, const char *type)
{
	is_str(pin_type_from_name(remote), type, "%s is %s", remote, type);
}

static void
test_names(void)
{
	name("TermEndDate", "date");
	name("Date", "date");
	name("DateAcquired", "text");
	name("LastUpdate", "text");
	name("Month", "date");
	name("month", "date");
	name("EstimatedPayoutMonth", "text");
	name("MonthKey", "text");
	name("BilledRevenueUSD", "numeric");
	name("RevenueGenerated(USD)", "numeric");
	name("SubscriptionCount", "bigint");
	name("Account", "text");
	name("Discount", "text");
	name("IsTrial", "boolean");
	name("Is", "text");
	name("Isolation", "text");
	name("", "text");
	name("()", "text");
}

#define VALUES(remote, type, ...) \
	do { \
		const char *const values[] = {__VA_ARGS__}; \
		is_str(pin_type_from_values(remote, values, sizeof(values) / sizeof(values[0])), \
			   type, "%s of %s: %s", remote, values[0] ? values[0] : "null", type); \
	} while (0)

static void
test_values(void)
{
	VALUES("X", "text", NULL, "");
	VALUES("TermEndDate", "date", NULL, "");
	VALUES("X", "uuid", NULL, "6664daf3-c161-423a-92a1-0EA6DB2C0384");
	VALUES("X", "text", "6664daf3-c161-423a-92a1-0EA6DB2C0384", "none");
	VALUES("X", "boolean", "True", "", "FALSE");
	VALUES("X", "boolean", "Y", "N");
	VALUES("X", "bigint", "0", "1");
	VALUES("IsX", "boolean", "0", "1", NULL);
	VALUES("IsX", "bigint", "0", "2");
	VALUES("IsX", "text", "0", "maybe");
	VALUES("X", "bigint", "-12", "0", "123456789012345678");
	VALUES("X", "numeric", "1234567890123456789");
	VALUES("X", "numeric", "1", "2.50", "-0.1", "1e-7");
	VALUES("RevenueUSD", "numeric", "1", "2");
	VALUES("X", "text", "007");
	VALUES("X", "text", "+7");
	VALUES("X", "text", "1.");
	VALUES("X", "text", "1e");
	VALUES("X", "text", "-");
	VALUES("MpnId", "text", "123");
	VALUES("PostalCode", "text", "12345");
	VALUES("SKUCount", "bigint", "3");
	VALUES("X", "date", "2026-03-01", "2026-03-01T00:00:00Z");
	VALUES("X", "date", "3/1/2026 12:00:00 AM", "12/31/2026");
	VALUES("X", "timestamptz", "3/1/2026 12:00:00 PM");
	VALUES("X", "timestamptz", "3/1/2026 12:30:00 AM");
	VALUES("X", "timestamptz", "2026-03-01", "2026-03-01T10:11:12.1234567Z");
	VALUES("X", "timestamptz", "2026-03-01 10:11");
	VALUES("X", "text", "2026-03-01T");
	VALUES("X", "text", "2026-03-01T10:11:12.Z");
	VALUES("X", "text", "2026-03-01 12");
	VALUES("X", "text", "1/2");
	VALUES("X", "text", "1/2/26");
}

int
main(void)
{
	test_names();
	test_values();
	return done_testing();
}
