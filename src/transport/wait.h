/*-------------------------------------------------------------------------
 *
 * wait.h
 *		The only place that sleeps.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_WAIT_H
#define PIN_WAIT_H

/* What is waited for, as pg_stat_activity shows it since PostgreSQL 17. */
typedef enum PinWait
{
	PIN_WAIT_REPLY,				/* PinsightReply: the service's answer */
	PIN_WAIT_REPORT,			/* PinsightReport: a report that is made */
	PIN_WAIT_DOWNLOAD,			/* PinsightDownload: a report's file */
	PIN_WAIT_SESSION,			/* PinsightSession: another session's report */
	PIN_WAIT_TURN				/* PinsightTurn: max_concurrent_reports */
} PinWait;

/*
 * Sleeps until the descriptor is readable or the backend's latch is set, then
 * serves interrupts: cancel, statement_timeout and termination end the wait
 * at once.  Throws on interrupts; libcurl must not be on the stack.
 */
extern void pin_wait(int fd, PinWait what);

/*
 * A descriptor that stands for another in somebody else's WaitEventSet, which
 * can hold none twice: readable when that one is; always, if fd is -1.  Itself
 * -1 where there is none left.  Never throws; the caller closes it.
 */
extern int	pin_wait_open(int fd);

/* From now on it stands for this one.  False with errno set on failure. */
extern bool pin_wait_reopen(int other, int fd);
extern void pin_wait_close(int fd); /* -1 is fine */

#endif							/* PIN_WAIT_H */
