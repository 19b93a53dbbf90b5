/*-------------------------------------------------------------------------
 *
 * wait.h
 *		The only place that sleeps.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_WAIT_H
#define PIN_WAIT_H

/*
 * Sleeps until the descriptor is readable or the backend's latch is set, then
 * serves interrupts: cancel, statement_timeout and termination end the wait
 * at once.  Throws on interrupts; libcurl must not be on the stack.
 */
extern void pin_wait(int fd);

#endif							/* PIN_WAIT_H */
