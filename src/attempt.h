/*-------------------------------------------------------------------------
 *
 * attempt.h
 *		Work whose errors are not the end of the statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ATTEMPT_H
#define PIN_ATTEMPT_H

/*
 * Does work in a subtransaction.  NULL if that goes well; else all it did in the
 * database is undone, and the result is its error, in the current context.
 * Context and resource owner are the caller's again.  Where
 * pin_subtransaction_allowed() says no, it throws.
 */
extern ErrorData *pin_attempt(void (*work) (void *arg), void *arg);

/* The same, but that somebody cancels is thrown on: it is no finding. */
extern ErrorData *pin_attempt_unless_cancelled(void (*work) (void *arg), void *arg);

#endif							/* PIN_ATTEMPT_H */
