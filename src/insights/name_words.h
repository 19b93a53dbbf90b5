/*-------------------------------------------------------------------------
 *
 * name_words.h
 *		The words a remote name is made of.
 *
 * Remote names run words together in capitals: CustomerTenantId.  What is a
 * word decides the local name and the guess of a type, so the rules are here,
 * once:
 *
 *	- what is no letter and no digit parts words and belongs to none;
 *	- a capital after a small letter begins a word:  Customer|Tenant|Id;
 *	- of several capitals before a small letter the last begins a word:
 *	  DUNS|Number, MPN|Id; but a plural's s belongs to them: VMs|Current;
 *	- a row of five capitals or more that ends in ID is two words:  MPN|ID;
 *	- digits belong to the capital before them (E3, V2) and begin a word after
 *	  a small letter: Last|36|Months.  Such a word takes in an ordinal's ending
 *	  (3rd|Party) and a single capital (3P|Apps);
 *	- "with" and "without" are words of their own even where no capital says so:
 *	  Zoom|without|M365;
 *	- names of products that break these rules are known: M365, GitHub, ...
 *
 * Plain C; nothing here fails.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_NAME_WORDS_H
#define PIN_NAME_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Most words of a name; the longest name has twice as many letters. */
#define PIN_NAME_WORDS_MAX 64

typedef struct PinNameWord
{
	const char *start;			/* in the name */
	size_t		len;			/* bytes, at least one */
} PinNameWord;

/* Fills words and returns how many there are.  More than the most: left out. */
extern size_t pin_name_words(const char *name, PinNameWord words[PIN_NAME_WORDS_MAX]);

/* True if the word is that text, without case. */
extern bool pin_name_word_is(const PinNameWord *word, const char *text);

#endif							/* PIN_NAME_WORDS_H */
