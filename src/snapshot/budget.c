/*-------------------------------------------------------------------------
 *
 * budget.c
 *		How many immediate reports a credential has ordered within the hour.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "snapshot/budget.h"
#include "snapshot/cache.h"
#include "utils/timestamp.h"

/* The service counts over sixty minutes. */
#define PERIOD_US USECS_PER_HOUR

/*
 * After a refusal for a quota that our own count does not explain (somebody
 * else orders reports, too) it is asked again after this.
 */
#define REFUSAL_US (10 * USECS_PER_MINUTE)

/* Orders that are remembered: more than any sensible max_reports_per_hour. */
#define ORDERS_MAX 1000

/* Tries to get the file's lock, 10 ms apart: it is held for an instant only. */
#define LOCK_TRIES 200

typedef struct Budget
{
	TimestampTz blocked_until;	/* by the service's own word; 0: it said none */
	int			norders;		/* how many */
	TimestampTz orders[ORDERS_MAX]; /* oldest first */
} Budget;

/*
 * Takes the lock.  -1 if it cannot be had: then the count goes without it,
 * which is better than no answer.
 */
static int
lock_budget(const char *path)
{
	int			fd;

	for (int i = 0; i < LOCK_TRIES; i++)
	{
		CHECK_FOR_INTERRUPTS();
		fd = pin_cache_lock(path);
		if (fd >= 0)
			return fd;
		pg_usleep(10000);
	}
	return -1;
}

/*
 * Drops what no longer counts, and what cannot be: the file may be damaged, or
 * the clock was set back.
 */
static void
forget_past(Budget *budget)
{
	TimestampTz now = GetCurrentTimestamp();
	int			kept = 0;

	if (budget->norders < 0 || budget->norders > ORDERS_MAX)
		budget->norders = 0;
	for (int i = 0; i < budget->norders; i++)
	{
		if (budget->orders[i] > now - PERIOD_US && budget->orders[i] <= now)
			budget->orders[kept++] = budget->orders[i];
	}
	budget->norders = kept;
	if (budget->blocked_until > now + PERIOD_US)
		budget->blocked_until = 0;
}

/* Without the orders that no longer count. */
static Budget *
read_budget(const PinNeed *need)
{
	Budget	   *budget = palloc0(sizeof(Budget));
	size_t		len = 0;
	char	   *data = pin_cache_read(pin_cache_path(need->credential, NULL, PIN_CACHE_BUDGET),
									  sizeof(Budget), &len);

	if (data != NULL && len == sizeof(Budget))
		memcpy(budget, data, sizeof(Budget));
	forget_past(budget);
	return budget;
}

/* When the next order is free; 0: now. */
static TimestampTz
next_free(const Budget *budget, int max)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz next = budget->blocked_until > now ? budget->blocked_until : 0;

	if (budget->norders >= max)
		next = Max(next, budget->orders[budget->norders - max] + PERIOD_US);
	return next;
}

static void
describe(const PinNeed *need, const Budget *budget, TimestampTz next, PinError *err)
{
	long		secs = (long) ((next - GetCurrentTimestamp()) / USECS_PER_SEC) + 1;

	pin_error_set(err, PIN_ERROR_ORDER_QUOTA, "no report can be ordered now");
	if (budget->norders >= need->options->max_reports_per_hour)
		pin_error_detail(err, "As many reports were ordered within the last hour as \"max_reports_per_hour\" allows (%d).  The next one is free in %ld min.",
						 need->options->max_reports_per_hour, (secs + 59) / 60);
	else
		pin_error_detail(err, "The service has said that its quota is used up.  The next try is free in %ld min.",
						 (secs + 59) / 60);
	pin_error_hint(err, "Run the query again then, or accept older rows through the option \"stale_ok\".");
}

static void
write_budget(const PinNeed *need, const Budget *budget)
{
	pin_cache_write(pin_cache_path(need->credential, NULL, PIN_CACHE_BUDGET), (const char *) budget,
					sizeof(Budget));
}

/* Changes the budget under its lock. */
typedef bool (*Change) (Budget *budget, const PinNeed *need, PinError *err);

static bool
change_budget(const PinNeed *need, Change change, PinError *err)
{
	char	   *path = pin_cache_path(need->credential, "budget", PIN_CACHE_LOCK);
	volatile int lock = lock_budget(path);
	volatile bool ok = false;

	PG_TRY();
	{
		Budget	   *budget = read_budget(need);

		ok = change(budget, need, err);
		write_budget(need, budget);
		pfree(budget);
	}
	PG_FINALLY();
	{
		pin_cache_unlock(lock, path);
	}
	PG_END_TRY();
	return ok;
}

static bool
take(Budget *budget, const PinNeed *need, PinError *err)
{
	TimestampTz next = next_free(budget, need->options->max_reports_per_hour);

	if (next != 0 || budget->norders == ORDERS_MAX)
	{
		describe(need, budget, next, err);
		return false;
	}
	budget->orders[budget->norders++] = GetCurrentTimestamp();
	return true;
}

static bool
give_back(Budget *budget, const PinNeed *need, PinError *err)
{
	if (budget->norders > 0)
		budget->norders--;
	return true;
}

static bool
note_refusal(Budget *budget, const PinNeed *need, PinError *err)
{
	TimestampTz now = GetCurrentTimestamp();

	budget->blocked_until = budget->norders > 0 ?
		Max(budget->orders[0] + PERIOD_US, now + USECS_PER_MINUTE) : now + REFUSAL_US;
	return true;
}

bool
pin_budget_take(const PinNeed *need, PinError *err)
{
	return change_budget(need, take, err);
}

void
pin_budget_give_back(const PinNeed *need)
{
	(void) change_budget(need, give_back, NULL);
}

void
pin_budget_note_refusal(const PinNeed *need)
{
	(void) change_budget(need, note_refusal, NULL);
}

bool
pin_budget_allows(const PinNeed *need, PinError *err)
{
	Budget	   *budget = read_budget(need);
	TimestampTz next = next_free(budget, need->options->max_reports_per_hour);

	if (next != 0)
		describe(need, budget, next, err);
	pfree(budget);
	return next == 0;
}

int
pin_budget_left(const PinNeed *need)
{
	Budget	   *budget = read_budget(need);
	int			max = need->options->max_reports_per_hour;
	int			left = next_free(budget, max) != 0 ? 0 : max - budget->norders;

	pfree(budget);
	return left;
}
