/*
 * data_words.c
 *		The words synthetic data is made of.
 *
 * Companies and people are invented.  Among them are texts that are hard on
 * readers of CSV, TSV and JSON: quotes, delimiters, line ends, backslashes,
 * blanks at the ends, scripts other than Latin.
 */
#include "data_words.h"

#define WORDS(name, ...) \
	static const char *const name##_list[] = {__VA_ARGS__}; \
	const EmuWords name = {name##_list, sizeof(name##_list) / sizeof(name##_list[0])}

WORDS(emu_name_first,
	  "Alpine", "Amber", "Aurora", "Baltic", "Birch", "Bluebird", "Boreal", "Bright",
	  "Cedar", "Cobalt", "Copper", "Coral", "Delta", "Ember", "Falcon", "Fjord",
	  "Garnet", "Glacier", "Granite", "Harbour", "Hazel", "Heron", "Indigo", "Iris",
	  "Juniper", "Kestrel", "Lagoon", "Larch", "Linden", "Lunar", "Maple", "Meridian",
	  "Nordic", "Oak", "Onyx", "Opal", "Orchard", "Osprey", "Pine", "Quartz",
	  "Raven", "River", "Saffron", "Sierra", "Silver", "Tundra", "Velvet", "Willow");

WORDS(emu_name_second,
	  "Analytics", "Bank", "Brewery", "Capital", "Clinics", "Consulting", "Dairy",
	  "Energy", "Engineering", "Foods", "Freight", "Gardens", "Health", "Holdings",
	  "Insurance", "Logistics", "Media", "Motors", "Paper", "Pharma", "Schools",
	  "Software", "Telecom", "Textiles");

WORDS(emu_name_legal,
	  "Ltd", "Inc.", "GmbH", "A/S", "AB", "S.A.", "B.V.", "Oy", "LLC", "plc", "K.K.", "S.p.A.");

WORDS(emu_name_odd,
	  "M\xc3\xbcller & S\xc3\xb6hne GmbH",
	  "\xc3\x86r\xc3\xb8 F\xc3\xa6rgefart A/S",
	  "O'Leary, Byrne and Sons",
	  "The \"Corner\" Bakery, Inc.",
	  "First line Ltd\nSecond line",
	  "Carriage\r\nReturn Printers",
	  "\xe5\x8c\x97\xe4\xba\xac\xe7\xa4\xba\xe4\xbe\x8b\xe8\xbd\xaf\xe4\xbb\xb6\xe6\x9c\x89\xe9\x99\x90\xe5\x85\xac\xe5\x8f\xb8",
	  "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80 \xd0\x9e\xd0\x9e\xd0\x9e",
	  "\xd7\x93\xd7\x95\xd7\x92\xd7\x9e\xd7\x94 \xd7\x91\xd7\xa2\xd7\x9e",
	  " Leading Blank AB",
	  "Trailing Blank AB ",
	  "Tab\tDelimited Foods",
	  "Back\\slash \\N Ltd",
	  "100% Juice_Bar",
	  "Semi;colon | Pipe",
	  "Rocket \xf0\x9f\x9a\x80 Labs",
	  "\"Quoted All Over\"",
	  "NULL",
	  "\xc3\x85ngstr\xc3\xb6m Energi AB",
	  "=SUM(1,2)");

WORDS(emu_given,
	  "Ada", "Bj\xc3\xb6rn", "Chiara", "Dmitri", "El\xc3\xadn", "Farah", "Goran", "Hana",
	  "Ingrid", "Jos\xc3\xa9", "Kofi", "Lena", "Mei", "Nils", "Oona", "Priya");

WORDS(emu_family,
	  "Andersen", "Brandt", "Costa", "Dubois", "Eriksson", "Ferrari", "Garc\xc3\xad\x61", "Haddad",
	  "Ivanova", "Jensen", "Kowalski", "Lindqvist", "Mensah", "Novak", "O'Connor", "Petrov");

WORDS(emu_countries,
	  "United States", "Germany", "United Kingdom", "France", "Denmark", "Sweden", "Japan",
	  "Brazil", "India", "Australia", "Canada", "C\xc3\xb4te d'Ivoire", "Norway", "Spain",
	  "Korea, Republic of", "South Africa");

WORDS(emu_country_codes,
	  "US", "DE", "GB", "FR", "DK", "SE", "JP", "BR", "IN", "AU", "CA", "CI", "NO", "ES",
	  "KR", "ZA");

WORDS(emu_cities,
	  "Seattle", "M\xc3\xbcnchen", "London", "Lyon", "\xc3\x85rhus", "G\xc3\xb6teborg", "Osaka",
	  "S\xc3\xa3o Paulo", "Pune", "Perth", "Montr\xc3\xa9\x61l", "Abidjan", "Oslo", "Sevilla",
	  "Busan", "Cape Town");

WORDS(emu_states,
	  "Washington", "Bayern", "England", "Rh\xc3\xb4ne", "Midtjylland", "Halland", "Osaka-fu",
	  "SP", "Maharashtra", "WA", "Qu\xc3\xa9\x62\x65\x63", "Lagunes");

WORDS(emu_segments,
	  "SMB", "Corporate", "Enterprise", "Education", "Public Sector", "Upper Majors",
	  "SM&C Commercial - Managed");

WORDS(emu_industries,
	  "Retail & Consumer Goods", "Manufacturing", "Financial Services", "Health",
	  "Education", "Government", "Media, Telecom", "Professional Services");

WORDS(emu_statuses,
	  "Active", "Disabled", "Suspended", "Expired", "Warned", "ACTIVE");

WORDS(emu_products,
	  "Productivity Suite E3", "Productivity Suite E5", "Business Basic", "Business Premium",
	  "Sales Professional", "Customer Service Enterprise", "Identity P1", "Identity P2",
	  "Device Management", "Reporting Pro", "Reporting Premium", "Phone System",
	  "Meeting Rooms, 55\" screen", "Cloud Desktop 2vCPU/8GB");

WORDS(emu_workloads,
	  "Mail", "Documents", "Meetings", "Chat", "Identity", "Device Management", "Reporting",
	  "Sales", "Finance", "Supply Chain");

WORDS(emu_services,
	  "Virtual Machines", "Storage", "SQL Database", "Bandwidth", "Key Vault",
	  "Load Balancer", "Container Service", "Log Analytics", "Backup", "DNS");

WORDS(emu_meters,
	  "Compute, D-series", "Block Blob \"Hot\"", "General Purpose", "Zone egress", "Operations",
	  "Rules", "vCPU Duration", "Data Ingestion", "Protected Instances", "Queries");

WORDS(emu_offer_types,
	  "SaaS", "Azure Applications", "vm core image", "Virtual Machine Licenses",
	  "multisolution", "Consulting services");

WORDS(emu_currencies,
	  "USD", "EUR", "GBP", "DKK", "SEK", "JPY", "BRL", "INR");

WORDS(emu_channels,
	  "Direct", "Indirect", "Enterprise", "Reseller", "Web Direct");

WORDS(emu_clusters,
	  "Act Now", "Evaluate", "Nurture", "Educate", "Unknown");

WORDS(emu_levels,
	  "High", "Medium", "Low", "Very High");

WORDS(emu_units,
	  "1 Hour", "10 Hours", "1 GB", "100 GB", "1 GB/Month", "10,000s", "1/Day");

WORDS(emu_messages,
	  "The deployment failed; see the operations for details.",
	  "{\"code\":\"Conflict\",\"message\":\"Name is taken, choose another\"}",
	  "Quota exceeded:\n  wanted 16 cores\n  left 4 cores",
	  "Resource group 'rg-1' could not be found",
	  "Timeout\twhile waiting");

WORDS(emu_months,
	  "January", "February", "March", "April", "May", "June", "July", "August",
	  "September", "October", "November", "December");

WORDS(emu_phrases,
	  "Standard", "Premium", "Basic", "Advanced", "Monthly plan", "Annual plan",
	  "Level 1", "Level 2", "Group A", "Group B", "Not applicable", "Other, unspecified");
