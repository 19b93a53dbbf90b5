/*-------------------------------------------------------------------------
 *
 * local_name.c
 *		Tests of local names and of the words they are made of.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "insights/local_name.h"
#include "insights/name_words.h"
#include "tap.h"

static void
snake(const char *remote, const char *expected)
{
	PinLocalName local;

	pin_local_name(local, "", remote, PIN_NAME_SNAKE);
	is_str(local, expected, "%s", remote);
}

static void
test_words(void)
{
	snake("CustomerTenantId", "customer_tenant_id");
	snake("month", "month");
	snake("IsACRDuplicateAtPGALevel", "is_acr_duplicate_at_pga_level");
	snake("EstimatedExtendedCharge(CC)", "estimated_extended_charge_cc");
	snake("RevenueGeneratedPerDay(USD)", "revenue_generated_per_day_usd");
	snake("PGA_MPNId", "pga_mpn_id");
	snake("PGAMpnID", "pga_mpn_id");
	snake("MPNId", "mpn_id");
	snake("MpnId", "mpn_id");
	snake("MPNID", "mpn_id");
	snake("GUID", "guid");
	snake("ID", "id");
	snake("SKU", "sku");
	snake("DUNSNumber", "duns_number");
	snake("BilledRevenueUSD", "billed_revenue_usd");
	snake("M365Cluster", "m365_cluster");
	snake("D365BCIntent", "d365_bc_intent");
	snake("O365Cluster", "o365_cluster");
	snake("CLASD365Propensity", "clas_d365_propensity");
	snake("TeamsUsage3PApps", "teams_usage_3p_apps");
	snake("Usage3P", "usage_3p");
	snake("DigitalWorkforce3rdPartyHostingService", "digital_workforce_3rd_party_hosting_service");
	snake("TransactedInTheLast36Months", "transacted_in_the_last_36_months");
	snake("ISVOrderV2", "isv_order_v2");
	snake("CustomerTPid", "customer_tpid");
	snake("IcMCP", "ic_mcp");
	snake("SQLVMsCurrentSQLServer", "sqlvms_current_sql_server");
	snake("EnableRemoteWorkCompeteZoomwithoutM365", "enable_remote_work_compete_zoom_without_m365");
	snake("AcquisitionEOSwithCLAS", "acquisition_eos_with_clas");
	snake("With", "with");
	snake("MigrateOSSMySQLtoAzure", "migrate_oss_mysql_to_azure");
	snake("VMWareIB", "vmware_ib");
	snake("Windows2012IBEOS", "windows_2012_ibeos");
	snake("a__b--c", "a_b_c");
}

static void
test_oddities(void)
{
	PinLocalName local;

	snake("3PApps", "_3p_apps");
	snake("()", "_");
	snake("xmin", "xmin_");
	snake("Gr\303\266\303\237e", "gr_e");
	pin_local_name(local, "pc_", "AzureUsage", PIN_NAME_SNAKE);
	is_str(local, "pc_azure_usage", "a prefix");
	pin_local_name(local, "PC ", "3PApps", PIN_NAME_SNAKE);
	is_str(local, "PC 3p_apps", "a prefix is kept as it is");
	pin_local_name(local, "", "RevenueGenerated(USD)", PIN_NAME_PRESERVE);
	is_str(local, "RevenueGenerated(USD)", "the remote spelling");
}

static void
test_length(void)
{
	const char *remote = "SecuritySecureMultiCloudInfrastructureCloudworkloadprotectionDefenderAttachinWindowsMigration";
	PinLocalName local;
	char		longest[129];

	pin_local_name(local, "", remote, PIN_NAME_SNAKE);
	is_str(local, "secur_secur_multi_cloud_infra_cloud_defen_attac_windo_migra",
		   "long words lose their ends");
	pin_local_name(local, "", remote, PIN_NAME_PRESERVE);
	is_str(local, "SecuriSecureMultiCloudInfrasCloudwDefendAttachWindowMigrat",
		   "so they do with the remote spelling");
	snake("EnableRemoteWorkOnPremAcquisitionEOSwithoutCLASPropensityAbove10Licenses",
		  "enabl_remot_work_on_prem_acqui_eos_wo_clas_prope_above_10_licen");
	snake("EnableRemoteWorkOnPremAcquisitionEOSwithCLASPropensityAbove10Licenses",
		  "enabl_remot_work_on_prem_acqui_eos_w_clas_prope_above_10_licen");
	pin_local_name(local, "abcdefghijklmnopqrstuvwxyzabcde", remote, PIN_NAME_SNAKE);
	ok(strlen(local) <= PIN_LOCAL_NAME_MAX, "with a long prefix: %s", local);

	memset(longest, 'x', 128);
	longest[128] = '\0';
	pin_local_name(local, "", longest, PIN_NAME_SNAKE);
	is_int(strlen(local), PIN_LOCAL_NAME_MAX, "one long word fills the room");
	for (int i = 0; i < 128; i += 2)
		memcpy(longest + i, "Ab", 2);
	pin_local_name(local, "", longest, PIN_NAME_SNAKE);
	is_int(strlen(local), PIN_LOCAL_NAME_MAX, "so do very many short words");
}

static void
test_unique(void)
{
	const char *const remotes[] = {"MPNId", "Charge(CC)", "Month", "MpnID", "ChargeCC"};
	const char *const turned[] = {"ChargeCC", "MpnID", "Charge(CC)", "MPNId", "More"};
	PinLocalName a[5];
	PinLocalName b[5];

	ok(pin_local_names(a, "", remotes, 5, PIN_NAME_SNAKE), "names of a table");
	is_str(a[2], "month", "one that is alone has no hash");
	is_str(a[1], "charge_cc", "nor has the one that parts its words");
	ok(strncmp(a[4], "charge_cc_", 10) == 0 && strlen(a[4]) == 18, "the other has: %s", a[4]);
	ok(strncmp(a[0], "mpn_id_", 7) == 0 && strncmp(a[3], "mpn_id_", 7) == 0,
	   "both have if none does: %s, %s", a[0], a[3]);
	ok(pin_local_names(b, "", turned, 5, PIN_NAME_SNAKE), "names in another order");
	is_str(b[0], a[4], "stay the same");
	is_str(b[1], a[3], "each of them");
	is_str(b[2], a[1], "each of them");
	is_str(b[3], a[0], "each of them");
	ok(pin_local_names(a, "", remotes, 5, PIN_NAME_PRESERVE), "in the remote spelling");
	is_str(a[0], "MPNId", "they were not alike");
	is_str(a[4], "ChargeCC", "neither were these");
	ok(pin_local_names(a, "", remotes, 0, PIN_NAME_SNAKE), "no names at all");
}

static void
test_limits(void)
{
	PinNameWord words[PIN_NAME_WORDS_MAX];
	char	   *many = malloc(2001);

	for (int i = 0; i < 2000; i += 2)
		memcpy(many + i, "Ab", 2);
	many[2000] = '\0';
	is_int(pin_name_words(many, words), PIN_NAME_WORDS_MAX, "no more words than there is room for");
	is_int(pin_name_words("", words), 0, "no words in an empty name");
	free(many);
}

int
main(void)
{
	test_words();
	test_oddities();
	test_length();
	test_unique();
	test_limits();
	return done_testing();
}
