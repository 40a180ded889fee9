"""Azure: az."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE

USAGES = (
    *uses(
        "delete-environment", _GONE | Does.BROAD, "deletes an environment, project or cluster by a command",
        ("az group delete", "az group delete --name shop --yes", "az group list"),
    ),
    *uses(
        "empty-bucket", _GONE | Does.BROAD, "deletes all of a bucket by a command",
        ("az storage delete-batch|remove", "az storage blob delete-batch --source a", "az storage blob list -c a"),
        ("az storage sync --delete-destination=true", "az storage blob sync -c a -s ./e --delete-destination true", "az storage blob sync -c a -s ./e"),
        ("azcopy remove|rm --recursive", "azcopy remove https://a.example/c --recursive", "azcopy copy a b --recursive"),
        ("azcopy sync --delete-destination=true", "azcopy sync ./e https://a.example/c --delete-destination=true", "azcopy sync ./e https://a.example/c"),
    ),
    *uses(
        "delete-bucket", _GONE, "deletes a storage bucket by a command",
        ("az storage account|container|share|table|queue|fs delete", "az storage account delete -n a -y", "az storage account list"),
        ("az acr repository|manifest delete|purge", "az acr repository delete -n a --repository b", "az acr repository list -n a"),
    ),
    *uses(
        "delete-database", _GONE, "deletes a database by a command",
        ("az sql|postgres|mysql|mariadb|cosmosdb|redis|synapse|kusto delete", "az sql server delete -g a -n b -y", "az sql server list"),
    ),
    *uses(
        "delete-vault", Does.DELETE, "deletes a key vault that can be recovered by a command",
        ("az keyvault delete", "az keyvault delete --name a", "az keyvault recover --name a"),
        ("az keyvault secret|key|certificate delete", "az keyvault secret delete --vault-name a --name b", "az keyvault secret list --vault-name a"),
        without=Does.IRREVERSIBLE,
    ),
    *uses(
        "purge-vault", _GONE, "deletes secrets for good by a command",
        ("az keyvault purge", "az keyvault purge --name a", "az keyvault delete --name a"),
        ("az keyvault secret|key|certificate purge", "az keyvault secret purge --vault-name a --name b", "az keyvault secret recover --vault-name a --name b"),
        ("az cognitiveservices|appconfig purge|delete", "az appconfig purge -n a", "az appconfig list"),
    ),
    *uses(
        "read-vault", Does.READ | Does.OPEN_CREDENTIAL, "reads a secret from where secrets are kept by a command",
        ("az keyvault secret|key|certificate show|download|backup", "az keyvault secret show --vault-name a --name b", "az keyvault secret list --vault-name a"),
        ("az storage|cosmosdb|redis|acr|servicebus|eventhubs keys|credential|list-keys|show-connection-string list|show|renew", "az storage account keys list -n a",
         "az storage account list"),
        ("az storage|redis|cosmosdb list-keys|show-connection-string", "az redis list-keys -n a", "az redis list"),
        ("az account get-access-token", "az account get-access-token", "az account show"),
        ("az webapp|functionapp|containerapp appsettings|secret|config list|show", "az webapp config appsettings list -n a", "az webapp list"),
        ("az aks get-credentials --admin", "az aks get-credentials -n a --admin", "az aks get-credentials -n a"),
    ),
    *uses("assume-role", Does.ESCALATE, "takes on more authority by a command", ("az aks get-credentials --admin", "az aks get-credentials -n a --admin", "az aks get-credentials -n a")),
    *uses(
        "drop-protection", Does.WRITE | Does.SAFEGUARD, "takes a protection off something by a command",
        ("az policy|repos|security delete|disable", "az policy assignment delete --name a", "az policy assignment list"),
        ("az network|sql nsg|firewall|ddos-protection|firewall-rule|waf-policy delete", "az network nsg delete -n a", "az network nsg list"),
        ("az lock delete", "az lock delete --name a", "az lock create --name a"),
        ("az resource|account lock delete", "az account lock delete --name a", "az account lock list"),
        ("az backup protection disable", "az backup protection disable -v a", "az backup protection list"),
    ),
    *uses(
        "drop-backups", Does.WRITE | Does.BACKUP | Does.SAFEGUARD, "turns backups or versions off by a command",
        ("az backup protection disable", "az backup protection disable -v a", "az backup protection enable-for-vm -v a"),
        ("az backup policy|vault delete", "az backup vault delete -n a", "az backup vault list"),
    ),
    *uses(
        "stop-audit", Does.WRITE | Does.AUDIT, "stops an audit trail by a command",
        ("az monitor diagnostic-settings|activity-log|log-profiles|alert|metrics delete", "az monitor diagnostic-settings delete --name a --resource b",
         "az monitor diagnostic-settings list --resource b"),
        ("az sql|storage|webapp audit-policy|log|logging update|config --state|--blob-auditing-policy-state=disabled", "az sql db audit-policy update -n a --state Disabled",
         "az sql db audit-policy update -n a --state Enabled"),
    ),
    *uses(
        "delete-audit-trail", _GONE | Does.AUDIT, "deletes or stops logs or an audit trail by a command",
        ("az monitor log-analytics workspace delete", "az monitor log-analytics workspace delete -n a --force true", "az monitor log-analytics workspace list"),
    ),
    *uses(
        "grant-access", Does.WRITE | Does.GRANT, "grants access by a command",
        ("az role assignment create", "az role assignment create --role Owner",
         "az role assignment list"),
        ("az keyvault set-policy", "az keyvault set-policy -n a --secret-permissions get", "az keyvault show -n a"),
        ("az ad group|app|sp member|owner|permission add|grant|admin-consent", "az ad group member add -g a", "az ad group member list -g a"),
    ),
    *uses("deploy-complete", Does.WRITE | Does.DELETE | Does.BROAD, "deploys and deletes what is not in the template", ("az deployment create --mode=complete", "az deployment group create -g a --mode Complete", "az deployment group create -g a --mode Incremental")),
    *uses("grant-more", Does.WRITE | Does.GRANT, "grants access by a command",
          ("az storage container|blob set-permission|generate-sas --public-access=blob|container", "az storage container set-permission -n a --public-access blob", "az storage container set-permission -n a --public-access off"),
          ("az ad sp create-for-rbac", "az ad sp create-for-rbac --role Owner", "az ad sp list"),
          ("az role definition create|update", "az role definition update --role-definition a.json", "az role definition list")),
    *uses("weaken", Does.WRITE | Does.SAFEGUARD, "weakens a protection by a command",
          ("az sql db tde set --status=disabled", "az sql db tde set --status Disabled -n a", "az sql db tde set --status Enabled -n a"),
          ("az storage container immutability-policy|legal-hold delete|clear", "az storage container immutability-policy delete -c a", "az storage container immutability-policy show -c a"),
          ("az network nsg rule create|update --source-address-prefixes|--source-address-prefix=[*]|internet|0.0.0.0/0|any", "az network nsg rule create -n a --access Allow --source-address-prefixes '*'", "az network nsg rule create -n a --source-address-prefixes 192.0.2.0/24"),
          ("az sql|postgres|mysql firewall-rule create --end-ip-address|--end-ip=255.255.255.255", "az sql server firewall-rule create -n a --start-ip-address 0.0.0.0 --end-ip-address 255.255.255.255", "az sql server firewall-rule create -n a --end-ip-address 192.0.2.9"),
          ("az security|policy pricing|exemption create --tier|--exemption-category=free|waiver", "az security pricing create -n VirtualMachines --tier free", "az security pricing create -n VirtualMachines --tier standard")),
    *uses("rotate-credential", Does.WRITE | Does.ROTATE, "changes or makes a credential by a command",
          ("az keyvault secret|key set|create|rotate", "az keyvault secret set --vault-name a --name b --value c", "az keyvault secret list --vault-name a"),
          ("az storage|cosmosdb|redis|acr|sql renew|regenerate|regenerate-keys", "az storage account keys renew -n a --key primary", "az storage account show -n a"),
          ("az ad sp|app create-for-rbac|credential", "az ad sp create-for-rbac", "az ad sp list")),
    *uses("overwrite-database", _GONE | Does.WRITE, "overwrites a database by a command", ("az storage blob|share restore|restore-version", "az storage blob restore --account-name a --time-to-restore b", "az storage blob list -c a")),
)  # fmt: skip
