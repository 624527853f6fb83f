# Whom a new installation believes: aicert-trust(5)
trustdir = $(pkgdatadir)/trust
dist_trust_DATA = \
	share/trust/amd-ark-genoa.json \
	share/trust/amd-ark-milan.json \
	share/trust/amd-ark-turin.json \
	share/trust/amd-ask-genoa.json \
	share/trust/amd-ask-milan.json \
	share/trust/amd-ask-turin.json \
	share/trust/azure-global-vtpm-ca-01.json \
	share/trust/azure-global-vtpm-ca-03.json \
	share/trust/azure-vtpm-root-2023.json \
	share/trust/gcp-ek-ak-intermediate-v3.json \
	share/trust/gcp-ek-ak-root.json \
	share/trust/gcp-tpm-ek-intermediate-2.json \
	share/trust/gcp-tpm-ek-intermediate-3.json \
	share/trust/gcp-tpm-ek-root-1.json

# The daemon as a service: into --with-systemdsystemunitdir, else among the data
systemdunitdir = $(systemdsystemunitdir)
dist_systemdunit_DATA = share/aicertd.service
# and its user: into --with-sysusersdir, else beside it
sysusersconfdir = $(sysusersdir)
dist_sysusersconf_DATA = share/sysusers/aicertd.conf
