"""Windows: its command lines and PowerShell's cmdlets."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE

USAGES = (
    *uses("wipe-disk", _GONE | Does.BROAD, "wipes a disk or a volume beyond recovery",
          ("format-volume|clear-disk|remove-partition|initialize-disk", "Clear-Disk -Number 1 -RemoveData", "Get-Disk"), ("clear-recyclebin", "Clear-RecycleBin -Force", "Get-ChildItem")),
    *uses("delete-environment", _GONE | Does.BROAD, "deletes an environment, project or cluster by a command",
          ("remove-azresourcegroup|remove-azsubscription|remove-azakscluster|remove-ekscluster|remove-cfnstack", "Remove-AzResourceGroup -Name a -Force", "Get-AzResourceGroup")),
    *uses("delete-database", _GONE, "deletes a database by a command", ("remove-azsqldatabase|remove-azsqlserver|remove-rdsdbinstance|remove-azcosmosdbaccount|remove-ddbtable|remove-sqldatabase", "Remove-RDSDBInstance -DBInstanceIdentifier a", "Get-RDSDBInstance")),
    *uses("delete-bucket", _GONE, "deletes a storage bucket by a command", ("remove-s3bucket|remove-azstorageaccount|remove-azstoragecontainer", "Remove-S3Bucket -BucketName a -DeleteBucketContent", "Get-S3Bucket")),
    *uses("delete-volume", _GONE, "deletes a volume by a command", ("remove-ec2volume|remove-azdisk|remove-virtualdisk|remove-vhd", "Remove-EC2Volume -VolumeId a", "Get-EC2Volume")),
    *uses("delete-backup", _GONE | Does.BACKUP, "deletes a backup by a command",
          ("remove-ec2snapshot|remove-azsnapshot|remove-vmsnapshot|remove-wbbackupset|remove-azrecoveryservicesbackupprotectionpolicy|remove-vmcheckpoint", "Remove-VMSnapshot -VMName a", "Get-VMSnapshot -VMName a")),
    *uses("delete-something", Does.DELETE, "deletes something by a command",
          ("remove-vm|remove-azvm|remove-ec2instance|remove-mailbox|remove-service|remove-website|remove-module|remove-psdrive|remove-itemproperty|uninstall-windowsfeature|uninstall-module|remove-job",
           "Remove-VM -Name a", "Get-VM"), ("reg delete", "reg delete HKLM\\\\Software\\\\a /f", "reg query HKLM"), ("sc delete", "sc delete a", "sc query a"), ("clear-content", "Clear-Content a.txt", "Get-Content a.txt")),
    *uses("stop-protection", Does.WRITE | Does.SAFEGUARD, "turns a protection off",
          ("set-netfirewallprofile -enabled=false|0", "Set-NetFirewallProfile -Enabled False", "Get-NetFirewallProfile"), ("disable-netfirewallrule|remove-netfirewallrule|uninstall-windowsdefender", "Disable-NetFirewallRule -Name a", "Get-NetFirewallRule -Name a"),
          ("set-mppreference -disablerealtimemonitoring|-exclusionpath|-disableioavprotection", "Set-MpPreference -DisableRealtimeMonitoring 1", "Get-MpPreference"),
          ("disable-bitlocker|suspend-bitlocker", "Disable-BitLocker -MountPoint C", "Get-BitLockerVolume"), ("sc stop|config|delete windefend|mpssvc|sense|wscsvc", "sc stop windefend", "sc query windefend")),
    *uses("read-item", Does.READ, "reads files or states by a command", ("get-item|get-childitem|get-content|get-service|get-process|get-vm|select-string|test-path|measure-object|get-acl", "Get-Content a.txt", "Set-Content a.txt")),
    *uses("open-key", Does.READ | Does.OPEN_CREDENTIAL, "reads a key from where keys are kept by a command",
          ("get-secret|get-azkeyvaultsecret|get-secsecretvalue|get-ssmparametervalue|get-azstorageaccountkey|convertfrom-securestring", "Get-AzKeyVaultSecret -VaultName a -Name b", "Get-AzKeyVault -VaultName a"), ("cmdkey /list", "cmdkey /list", "cmdkey /add:a")),
    *uses("grant-access", Does.WRITE | Does.GRANT, "grants access by a command",
          ("new-azroleassignment|add-azkeyvaultaccesspolicy|set-acl|add-mailboxpermission|add-adgroupmember|add-localgroupmember|register-iamuserpolicy|register-iamrolepolicy", "New-AzRoleAssignment -SignInName a", "Get-AzRoleAssignment")),
    *uses("runs", Does.EXECUTE, "runs a program", ("invoke-expression|iex|invoke-command|start-process|invoke-webrequest|iwr", "Invoke-Expression a", "Write-Output a")),
)  # fmt: skip
