/*-------------------------------------------------------------------------
 *
 * text.h
 *		Text between the database encoding and UTF-8, which is what every
 *		remote party speaks, without an error of the server's own: those repeat
 *		the bytes they stumble over, and these bytes may be a secret's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_TEXT_H
#define PIN_TEXT_H

/*
 * Text in UTF-8 from a remote party as palloc'd text in the database encoding.
 * Never fails for its content: what is invalid or has no counterpart becomes
 * '?'.
 */
extern char *pin_text_to_server(const char *utf8);

/*
 * Text in the database encoding as palloc'd UTF-8; NULL if some of it has no
 * counterpart, or is not UTF-8 in a database of encoding SQL_ASCII.
 */
extern char *pin_text_to_utf8(const char *text);

/* Is every byte of text part of a UTF-8 character? */
extern bool pin_text_is_utf8(const char *text, size_t len);

#endif							/* PIN_TEXT_H */
