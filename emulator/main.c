/*-------------------------------------------------------------------------
 *
 * main.c
 *		pinsight-emulator: Partner Center Insights on loopback.
 *
 * Reads the command line, opens the parts, tells where it listens, and waits
 * for SIGTERM or SIGINT.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulator.h"
#include "server.h"
#include "store.h"
#include "text.h"

/* The Makefile gives the whole path; without it, the checkout's folder. */
#ifndef EMU_CATALOG
#define EMU_CATALOG "catalog/datasets.json"
#endif

/* A certificate or key is never longer. */
#define PEM_LIMIT (64 * 1024)

typedef struct Options
{
	EmuEngineOptions engine;	/* data */
	EmuServerOptions server;	/* ports, certificate */
	const char *certificate_file;	/* or NULL */
	const char *key_file;		/* or NULL */
	const char *ready_file;		/* or NULL */
	EmuSwitchboard *switches;	/* filled while reading */
	bool		quiet;			/* no line for each request */
} Options;

enum
{
	OPT_PORT = 1, OPT_BLOB_PORT, OPT_CONTROL_PORT, OPT_ROWS, OPT_SEED,
	OPT_TODAY, OPT_DATABASE, OPT_CATALOG, OPT_REPORT_DELAY, OPT_CERT,
	OPT_KEY, OPT_READY_FILE, OPT_QUOTA_REPORTS, OPT_QUOTA_EXECUTE_NOW,
	OPT_QUOTA_QUERIES, OPT_QUIET, OPT_SWITCH, OPT_HELP
};

static const struct option long_options[] = {
	{"port", required_argument, NULL, OPT_PORT},
	{"blob-port", required_argument, NULL, OPT_BLOB_PORT},
	{"control-port", required_argument, NULL, OPT_CONTROL_PORT},
	{"rows", required_argument, NULL, OPT_ROWS},
	{"seed", required_argument, NULL, OPT_SEED},
	{"today", required_argument, NULL, OPT_TODAY},
	{"database", required_argument, NULL, OPT_DATABASE},
	{"catalog", required_argument, NULL, OPT_CATALOG},
	{"report-delay", required_argument, NULL, OPT_REPORT_DELAY},
	{"cert", required_argument, NULL, OPT_CERT},
	{"key", required_argument, NULL, OPT_KEY},
	{"ready-file", required_argument, NULL, OPT_READY_FILE},
	{"quota-reports", required_argument, NULL, OPT_QUOTA_REPORTS},
	{"quota-execute-now", required_argument, NULL, OPT_QUOTA_EXECUTE_NOW},
	{"quota-queries", required_argument, NULL, OPT_QUOTA_QUERIES},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"switch", required_argument, NULL, OPT_SWITCH},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0}
};

static void
print_help(void)
{
	puts("pinsight-emulator: Partner Center Insights on loopback\n"
		 "\n"
		 "  --port N               API and sign-in; 0: any free port (default)\n"
		 "  --blob-port N          downloads; 0: any free port (default)\n"
		 "  --control-port N       control API; 0: any free port (default)\n"
		 "  --rows N               rows in each dataset (1000)\n"
		 "  --seed N               same seed, same data (1)\n"
		 "  --today YYYY-MM-DD     day the data ends at (today)\n"
		 "  --database FILE        keep the data there (a temporary file)\n"
		 "  --catalog FILE         catalogue of datasets\n"
		 "  --report-delay SECONDS until a report is completed (2)\n"
		 "  --cert FILE            certificate: HTTPS on API and blob port\n"
		 "  --key FILE             its key\n"
		 "  --ready-file FILE      written when listening\n"
		 "  --quota-reports N      active reports a user (50)\n"
		 "  --quota-execute-now N  ExecuteNow reports in 60 minutes (5)\n"
		 "  --quota-queries N      queries a user (100)\n"
		 "  --switch NAME=VALUE    set a switch; may be repeated\n"
		 "  --quiet                no line on stderr for each request\n"
		 "  --help                 this text\n"
		 "\n"
		 "Switches, the default first:\n");
	emu_switches_print(stdout);
}

static void
fail(const char *message)
{
	fprintf(stderr, "pinsight-emulator: %s\n", message);
	exit(2);
}

static int64_t
number_option(const char *name, int64_t low, int64_t high)
{
	char	   *end;
	long long	value;

	errno = 0;
	value = strtoll(optarg, &end, 10);
	if (errno != 0 || end == optarg || *end != '\0' || value < low || value > high)
	{
		fprintf(stderr, "pinsight-emulator: --%s cannot be \"%s\"\n", name, optarg);
		exit(2);
	}
	return value;
}

static void
switch_option(Options *options, const char *assignment)
{
	char		err[256];

	if (!emu_switchboard_set(options->switches, assignment, err, sizeof err))
		fail(err);
}

static void
named_switch_option(Options *options, const char *name)
{
	char	   *assignment = emu_format("%s=%s", name, optarg);

	switch_option(options, assignment);
	free(assignment);
}

static void
take_option(Options *o, int option)
{
	switch (option)
	{
		case OPT_PORT:
			o->server.ports[EMU_PORT_API] = (int) number_option("port", 0, 65535);
			break;
		case OPT_BLOB_PORT:
			o->server.ports[EMU_PORT_BLOB] = (int) number_option("blob-port", 0, 65535);
			break;
		case OPT_CONTROL_PORT:
			o->server.ports[EMU_PORT_CONTROL] =
				(int) number_option("control-port", 0, 65535);
			break;
		case OPT_ROWS:
			o->engine.rows = number_option("rows", 0, 1000000000);
			break;
		case OPT_SEED:
			o->engine.seed = (uint64_t) number_option("seed", 0, INT64_MAX);
			break;
		case OPT_TODAY:
			o->engine.today = optarg;
			break;
		case OPT_DATABASE:
			o->engine.database = optarg;
			break;
		case OPT_CATALOG:
			o->engine.catalog = optarg;
			break;
		case OPT_REPORT_DELAY:
			named_switch_option(o, "report_delay");
			break;
		case OPT_CERT:
			o->certificate_file = optarg;
			break;
		case OPT_KEY:
			o->key_file = optarg;
			break;
		case OPT_READY_FILE:
			o->ready_file = optarg;
			break;
		case OPT_QUOTA_REPORTS:
			named_switch_option(o, "quota_reports");
			break;
		case OPT_QUOTA_EXECUTE_NOW:
			named_switch_option(o, "quota_execute_now");
			break;
		case OPT_QUOTA_QUERIES:
			named_switch_option(o, "quota_queries");
			break;
		case OPT_QUIET:
			o->quiet = true;
			break;
		case OPT_SWITCH:
			switch_option(o, optarg);
			break;
		case OPT_HELP:
			print_help();
			exit(0);
		default:
			fprintf(stderr, "Try --help.\n");
			exit(2);
	}
}

/* A whole small file; malloc'd.  Ends the program if it cannot be read. */
static char *
read_file(const char *path)
{
	FILE	   *in = fopen(path, "r");
	char	   *text = emu_alloc(PEM_LIMIT);
	size_t		size;

	if (in == NULL)
	{
		fprintf(stderr, "pinsight-emulator: cannot read \"%s\": %s\n", path, strerror(errno));
		exit(2);
	}
	size = fread(text, 1, PEM_LIMIT - 1, in);
	text[size] = '\0';
	fclose(in);
	return text;
}

static void
read_options(Options *options, int argc, char **argv)
{
	int			option;

	options->switches = emu_switchboard_open();
	options->engine.catalog = EMU_CATALOG;
	options->engine.rows = 1000;
	options->engine.seed = 1;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(options, option);
	if (optind < argc)
		fail("unexpected argument; try --help");
	if ((options->certificate_file == NULL) != (options->key_file == NULL))
		fail("--cert and --key go together");
	if (options->certificate_file != NULL)
	{
		options->server.certificate = read_file(options->certificate_file);
		options->server.key = read_file(options->key_file);
	}
	emu_switchboard_set_start(options->switches);
}

static void
print_urls(FILE *out, const Emulator *emu)
{
	fprintf(out, "api=%s\nblob=%s\ncontrol=%s\n", emu->api_url, emu->blob_url,
			emu->control_url);
	fflush(out);
}

/* Readers see the whole file or none. */
static bool
write_ready_file(const char *path, const Emulator *emu)
{
	char	   *part = emu_format("%s.part", path);
	FILE	   *out = fopen(part, "w");
	bool		good = out != NULL;

	if (good)
	{
		print_urls(out, emu);
		good = fclose(out) == 0 && rename(part, path) == 0;
	}
	if (!good)
		fprintf(stderr, "pinsight-emulator: cannot write \"%s\": %s\n", path,
				strerror(errno));
	free(part);
	return good;
}

static bool
open_parts(Emulator *emu, const Options *options, char *err, size_t errsize)
{
	emu->switches = options->switches;
	emu->quiet = options->quiet;
	emu->credentials = emu_credentials_open();
	emu->tokens = emu_tokens_open();
	emu->faults = emu_faults_open();
	emu->log = emu_log_open();
	emu->throttle = emu_throttle_open();
	emu_random(emu->link_key, sizeof emu->link_key);
	emu->engine = emu_engine_open(&options->engine, err, errsize);
	if (emu->engine != NULL)
		emu->store = emu_store_open(emu, err, errsize);
	return emu->store != NULL;
}

static void
close_parts(Emulator *emu)
{
	emu_store_close(emu->store);
	if (emu->engine != NULL)
		emu_engine_close(emu->engine);
	emu_throttle_close(emu->throttle);
	emu_log_close(emu->log);
	emu_faults_close(emu->faults);
	emu_tokens_close(emu->tokens);
	emu_credentials_close(emu->credentials);
	emu_switchboard_close(emu->switches);
	free(emu->api_url);
	free(emu->blob_url);
	free(emu->control_url);
}

/* Serves until a signal comes; returns the exit status. */
static int
run(Emulator *emu, const Options *options, const sigset_t *ends)
{
	char		err[512];
	EmuServer  *server = emu_server_start(emu, &options->server, err, sizeof err);
	int			status = 0;
	int			signal_number;

	if (server == NULL)
	{
		fprintf(stderr, "pinsight-emulator: %s\n", err);
		return 1;
	}
	print_urls(stdout, emu);
	if (options->ready_file != NULL && !write_ready_file(options->ready_file, emu))
		status = 1;
	else
		sigwait(ends, &signal_number);
	atomic_store(&emu->stopping, true);
	emu_server_stop(server);
	if (options->ready_file != NULL)
		unlink(options->ready_file);
	return status;
}

int
main(int argc, char **argv)
{
	static Emulator emu;
	static Options options;
	sigset_t	ends;
	char		err[512];
	int			status = 1;

	/* before any thread starts, so that all of them inherit it */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);

	read_options(&options, argc, argv);
	if (open_parts(&emu, &options, err, sizeof err))
		status = run(&emu, &options, &ends);
	else
		fprintf(stderr, "pinsight-emulator: %s\n", err);
	close_parts(&emu);
	free((char *) options.server.certificate);
	free((char *) options.server.key);
	return status;
}
