/*
 * data_words.h
 *		The words synthetic data is made of.
 */
#ifndef EMU_DATA_WORDS_H
#define EMU_DATA_WORDS_H

typedef struct EmuWords
{
	const char *const *words;
	unsigned	count;
} EmuWords;

extern const EmuWords emu_name_first;	/* parts of company names */
extern const EmuWords emu_name_second;
extern const EmuWords emu_name_legal;
extern const EmuWords emu_name_odd; /* names that are hard on parsers */
extern const EmuWords emu_given;
extern const EmuWords emu_family;
extern const EmuWords emu_countries;
extern const EmuWords emu_country_codes;	/* in the order of emu_countries */
extern const EmuWords emu_cities;
extern const EmuWords emu_states;
extern const EmuWords emu_segments;
extern const EmuWords emu_industries;
extern const EmuWords emu_statuses;
extern const EmuWords emu_products;
extern const EmuWords emu_workloads;
extern const EmuWords emu_services;
extern const EmuWords emu_meters;
extern const EmuWords emu_offer_types;
extern const EmuWords emu_currencies;
extern const EmuWords emu_channels;
extern const EmuWords emu_clusters;
extern const EmuWords emu_levels;
extern const EmuWords emu_units;
extern const EmuWords emu_messages;
extern const EmuWords emu_months;
extern const EmuWords emu_phrases;

#endif							/* EMU_DATA_WORDS_H */
