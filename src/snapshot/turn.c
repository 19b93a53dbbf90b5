/*-------------------------------------------------------------------------
 *
 * turn.c
 *		Whose turn it is, where not all reports may be fetched at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "snapshot/cache.h"
#include "snapshot/turn.h"

/* Times a number may be taken by others while we reach for it. */
#define TAKE_TRIES 1000

/* What is seen of the tickets of a credential. */
typedef struct Look
{
	const char *own;			/* path of one that does not count; or NULL */
	uint64		below;			/* only lower numbers count */
	uint64		highest;		/* of those that count */
	int			held;			/* how many count */
} Look;

static char *
ticket_path(const PinNeed *need, uint64 number)
{
	char		text[20];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long) number);
	return pin_cache_path(need->credential, text, PIN_CACHE_TURN);
}

/* The number in a ticket's path: KEY.NUMBER.turn */
static uint64
number_of(const char *path)
{
	const char *name = strrchr(path, '/');
	const char *dot = strchr(name != NULL ? name : path, '.');

	return dot != NULL ? strtou64(dot + 1, NULL, 16) : 0;
}

/* A ticket that nobody holds was left by a crash. */
static void
look_at(const char *path, void *arg)
{
	Look	   *look = arg;
	uint64		number = number_of(path);

	if (number >= look->below || (look->own != NULL && strcmp(path, look->own) == 0))
		return;
	if (!pin_cache_is_locked(path))
	{
		pin_cache_remove_unlocked(path);
		return;
	}
	look->held++;
	look->highest = Max(look->highest, number);
}

static Look
look_below(const PinNeed *need, uint64 below, const char *own)
{
	Look		look = {.own = own,.below = below};
	char		prefix[PIN_CACHE_NAME_DIGITS + 1];

	strlcpy(prefix, need->credential, sizeof(prefix));
	pin_cache_visit(prefix, PIN_CACHE_TURN, look_at, &look);
	return look;
}

/*
 * The number is one more than the highest.  Whoever takes one at the same time
 * may have been faster: then the file is locked, or a higher number is held by
 * now, and must not be passed.
 */
void
pin_turn_take(PinTurn *turn, const PinNeed *need)
{
	turn->need = need;
	turn->lock = -1;
	for (int i = 0; i < TAKE_TRIES; i++)
	{
		uint64		number = look_below(need, PG_UINT64_MAX, NULL).highest + 1;

		turn->path = ticket_path(need, number);
		turn->lock = pin_cache_lock(turn->path);
		if (turn->lock >= 0 &&
			look_below(need, PG_UINT64_MAX, turn->path).highest < number)
			return;
		pin_turn_give_back(turn);
		pfree(turn->path);
	}
	elog(ERROR, "could not get a turn in %d tries", TAKE_TRIES);
}

bool
pin_turn_has_come(const PinTurn *turn)
{
	return look_below(turn->need, number_of(turn->path), turn->path).held <
		turn->need->options->max_concurrent_reports;
}

void
pin_turn_give_back(PinTurn *turn)
{
	if (turn->need == NULL || turn->lock < 0)
		return;
	pin_cache_unlock(turn->lock, turn->path);
	turn->lock = -1;
}
