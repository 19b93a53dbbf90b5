/*-------------------------------------------------------------------------
 *
 * throw.h
 *		From a PinError to an ereport: the only bridge between the layers that
 *		return errors and the one that raises them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_THROW_H
#define PIN_THROW_H

#include "error.h"

/*
 * Raises an ERROR with the SQLSTATE of the error's kind:
 *
 *	ERROR:  server "partner": <message>
 *	DETAIL:  <the service's words, if any>
 *	HINT:  <the error's own hint, or its kind's>
 *	CONTEXT:  <context, if any>
 *
 * server is a server's name, or NULL where none is concerned; context is a
 * whole phrase in the database encoding, or NULL.  The error's own texts are
 * UTF-8; what the database encoding cannot hold becomes '?'.  A pending cancel
 * or termination wins over the error.  libcurl must not be on the stack.
 */
extern _Noreturn void pin_throw(const PinError *err, const char *server,
								const char *context);

/* The same, with sentences of ours behind the service's words in the detail. */
extern _Noreturn void pin_throw_more(const PinError *err, const char *server,
									 const char *more, const char *context);

/*
 * Raises a WARNING of the same shape, and returns.  Serves interrupts first,
 * too.
 */
extern void pin_warn(const PinError *err, const char *server,
					 const char *context);

#endif							/* PIN_THROW_H */
