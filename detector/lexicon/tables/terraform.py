"""Infrastructure as code: terraform, tofu, terragrunt, pulumi, cdk, ansible."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE

USAGES = (
    *uses(
        "terraform-destroy", _GONE | Does.BROAD, "destroys infrastructure",
        ("terraform destroy !-help !-target", "terraform destroy -auto-approve", "terraform destroy -help"),
        ("terraform apply -destroy !-target", "terraform apply -destroy -auto-approve", "terraform apply"),
        ("terraform run-all|run destroy", "terragrunt run-all destroy", "terragrunt run-all plan"),
        ("pulumi destroy|down", "pulumi destroy --yes", "pulumi preview"),
        ("cdk|sst|serverless|sls|amplify|copilot|sam destroy|remove|delete", "cdk destroy --all", "cdk diff"),
        ("pulumi stack rm", "pulumi stack rm a --force", "pulumi stack ls"),
    ),
    *uses("terraform-destroy-one", _GONE, "destroys a part of infrastructure", ("terraform destroy -target !-help", "terraform destroy -target=a.b", "terraform destroy -auto-approve")),
    *uses("terraform-replace", _GONE | Does.WRITE, "destroys a part of infrastructure and makes it anew", ("terraform apply -replace", "terraform apply -replace=a.b", "terraform apply"), ("terraform taint", "terraform taint a.b", "terraform untaint a.b")),
    *uses(
        "terraform-destroy-planned", Does.WRITE | Does.DELETE | Does.BROAD, "destroys infrastructure as planned",
        ("terraform apply *destroy*", "terraform apply destroy.tfplan", "terraform apply tf.plan"),
    ),
    *uses("terraform-plan-destroy", Does.READ, "plans to destroy infrastructure", ("terraform plan", "terraform plan -destroy", "terraform apply")),
    *uses(
        "terraform-read", Does.READ, "reads the state of infrastructure",
        ("terraform show|output|validate|fmt|graph|providers|version|console|get", "terraform show tf.plan", "terraform apply"),
        ("terraform state|workspace list|show|pull", "terraform state list", "terraform state rm a.b"),
        ("pulumi preview|stack|logs|whoami|about !rm", "pulumi stack ls", "pulumi up"),
        ("cdk diff|synth|ls|list|doctor", "cdk diff", "cdk deploy"),
    ),
    *uses(
        "terraform-write", Does.WRITE, "changes infrastructure or its state",
        ("terraform apply|import|refresh|taint|untaint", "terraform apply tf.plan", "terraform plan"),
        ("terraform state rm|mv|push|replace-provider", "terraform state rm a.b", "terraform state list"),
        ("pulumi up|update|import|refresh|config", "pulumi up", "pulumi preview"),
        ("cdk deploy|bootstrap|import", "cdk deploy", "cdk diff"),
    ),
    *uses(
        "drop-protection", Does.SAFEGUARD, "takes a protection off something by a command",
        ("terraform state push -force", "terraform state push -force a", "terraform state push a"),
        ("terraform force-unlock", "terraform force-unlock -force 4", "terraform init"),
        ("terraform -lock=false", "terraform apply -lock=false", "terraform apply -lock=true"),
        ("terraform workspace delete -force", "terraform workspace delete -force a", "terraform workspace delete a"),
        ("pulumi state unprotect", "pulumi state unprotect --all", "pulumi state delete a"),
        ("terraform -var=*protection*false*|*prevent_destroy*false*|*force_destroy*true*|*skip_final_snapshot*true*", "terraform apply -var deletion_protection=false", "terraform apply -var a=false"),
    ),
    *uses("terraform-delete", Does.DELETE, "deletes a workspace or an entry of a state", ("terraform workspace delete", "terraform workspace delete a", "terraform workspace list"), ("pulumi state delete", "pulumi state delete a", "pulumi stack ls")),
    *uses("unprotect-widely", Does.BROAD, "does so to all by a command", ("pulumi state --all", "pulumi state unprotect --all", "pulumi state unprotect a")),
    *uses(
        "read-vault", Does.READ | Does.OPEN_CREDENTIAL, "reads a secret from where secrets are kept by a command",
        ("terraform output *passw*|*secret*|*token*|*key*|*credential*", "terraform output -raw db_password", "terraform output vpc_id"),
        ("terraform state pull", "terraform state pull", "terraform state list"),
        ("pulumi --show-secrets", "pulumi config --show-secrets", "pulumi config"),
        ("ansible-vault decrypt|view", "ansible-vault view a.yml", "ansible-vault encrypt a.yml"),
        ("sops -d|--decrypt", "sops -d a.yaml", "sops a.yaml"),
        ("sops decrypt", "sops decrypt a.yaml", "sops encrypt a.yaml"),
    ),
    *uses("ansible-absent", Does.DELETE | Does.EXECUTE, "deletes things on many hosts", ("ansible-playbook|ansible -e|--extra-vars|-a|--args=*absent*", "ansible-playbook site.yml -e state=absent", "ansible-playbook site.yml")),
    *uses("ansible-run", Does.EXECUTE, "runs tasks on many hosts", ("ansible|ansible-playbook *", "ansible-playbook site.yml", "ansible-playbook")),
    *uses("ansible-become", Does.ESCALATE, "runs as another user on many hosts", ("ansible|ansible-playbook -b|--become|--become-user", "ansible all -b -m ping", "ansible all -m ping")),
    *uses("nuke", _GONE | Does.BROAD, "destroys all of an account",
          ("cloud-nuke|aws-nuke|azure-nuke|gcp-nuke *", "cloud-nuke aws --force", "cloud-nuke"), ("terragrunt|terraform destroy-all", "terragrunt destroy-all", "terragrunt plan-all"), ("cdktf|pulumi|crossplane destroy", "cdktf destroy", "cdktf diff"),
          ("eb terminate", "eb terminate a --force", "eb status"), ("sam delete", "sam delete --stack-name a", "sam validate"), ("copilot app|env|svc delete", "copilot app delete --yes", "copilot app ls"),
          ("ansible-playbook *destroy*|*teardown*|*wipe*|*decommission*|*purge*", "ansible-playbook destroy.yml", "ansible-playbook site.yml")),
    *uses("destroy-here", Does.DELETE, "destroys a machine that runs here", ("vagrant destroy", "vagrant destroy -f", "vagrant status"), ("multipass|limactl|lxc|incus delete|purge", "lxc delete a --force", "lxc list"), without=Does.IRREVERSIBLE),
    *uses("force-copy", Does.WRITE | Does.SAFEGUARD, "overwrites a state without a question", ("terraform init -force-copy|-reconfigure", "terraform init -migrate-state -force-copy", "terraform init")),
    *uses("salt-absent", Does.DELETE, "deletes things on many hosts", ("knife node|client|environment|data delete|bulk", "knife node delete a -y", "knife node list"), ("puppet resource *=absent", "puppet resource file /a ensure=absent", "puppet resource file /a")),
)  # fmt: skip
