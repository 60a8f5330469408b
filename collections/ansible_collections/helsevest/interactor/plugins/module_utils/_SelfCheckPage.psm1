# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What kind of page a PC got, for the screen of a self-check: the rules of _domain/page_kind.py, by its own patterns; a test
# holds the two together. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Get-PageIssuer {
    <#
    .SYNOPSIS
    Whose certificate a page came by; empty where nobody knows. Where it was refused, a direct handshake tells it.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Page,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Fact,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Rule
    )

    $code = Get-ErrorCode -Text ([string]$Page['error']) -Rule $Rule
    if ($Page['issuer'] -or $Page['proxy'] -or $code -ne 'PAGE.certificate' -or $null -eq $Fact['tls']) {
        return [string]$Page['issuer']
    }
    $name = Get-WebHost -Address ([string]$Page['url'])
    foreach ($endpoint in @($Fact['tls']['endpoints'] | Where-Object -FilterScript { $null -ne $_ })) {
        if (([string]$endpoint['name']).ToLowerInvariant() -ceq $name -and $endpoint['trusted'] -eq $false) {
            return [string]$endpoint['issuer']
        }
    }
    ''
}

Function Get-ErrorCode {
    <#
    .SYNOPSIS
    What is to be done about what Windows said of a page that did not come.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [AllowEmptyString()] [string] $Text,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Rule
    )

    foreach ($each in $Rule['errors']) {
        if ($Text.ToLowerInvariant() -cmatch $each['pattern']) {
            return $each['code']
        }
    }
    'PAGE.silent'
}

Function Get-PageLook {
    <#
    .SYNOPSIS
    What kind of page came, as _domain/page_kind.py tells them: colour (red, unknown, warned, green), code, values.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Page,
        [Parameter(Mandatory)] [AllowEmptyString()] [string] $Issuer,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Rule
    )

    $status = $Page['status']
    $text = ConvertTo-ComparedText -Text ([string]$Page['text'])
    $foreign = $Issuer -and $Issuer.ToLowerInvariant() -cnotmatch $Rule['public']
    $answering = (Get-WebHost -Address ([string]$Page['final_url'])).TrimEnd('.')
    $elsewhere = $answering -and $answering -cne (Get-WebHost -Address (Get-ContractValue -Contract $Contract -Path 'pages.P1.url'))
    $wanted = Get-ContractValue -Contract $Contract -Path 'pages.P1.status'
    $same = $null -ne $Page['text'] -and
        $text -ceq (ConvertTo-ComparedText -Text (Get-ContractValue -Contract $Contract -Path 'pages.P1.text'))
    $right = $status -eq $wanted -and $same
    # Nobody in between has written it.
    $proven = $Page['trusted'] -eq $true -and $Issuer -and -not $foreign -and -not $elsewhere
    $asks = $status -eq 401 -or $text -cmatch $Rule['login'] -or
        (ConvertTo-ComparedText -Text ([string]$Page['heading'])) -cmatch $Rule['login']
    $colour = 'red'
    $code = 'P1'
    if ($Page['error']) {
        $code = Get-ErrorCode -Text $Page['error'] -Rule $Rule
        if ($code -eq 'PAGE.certificate' -and $foreign) {
            $code = 'PAGE.inspected'
        }
    }
    elseif ($null -eq $status) {
        $colour = 'unknown'
    }
    elseif ($status -eq 0) {
        $code = 'PAGE.silent'
    }
    elseif ($Rule['login_statuses'] -contains $status -or ($asks -and -not $right -and -not $proven)) {
        $code = 'PAGE.login'
    }
    elseif ($elsewhere) {
        $code = 'PAGE.redirected'
    }
    elseif (-not $right -and $status -ge 200 -and $status -lt 300 -and $null -ne $Page['text'] -and $text -eq '') {
        $code = 'PAGE.blank'
    }
    elseif ($foreign) {
        $code = 'PAGE.inspected'
        if ($right) {
            $colour = 'warned'
        }
    }
    elseif ($Page['trusted'] -eq $false) {
        $code = 'PAGE.certificate'
    }
    elseif ($right) {
        $colour = 'green'
    }
    elseif ($status -ne $wanted) {
        $code = 'PAGE.status'
    }
    elseif ($null -eq $Page['text']) {
        $colour = 'unknown'
    }
    if ($proven -and @('P1', 'PAGE.blank', 'PAGE.status') -contains $code) {
        $code = 'PAGE.vendor'
    }
    if ($colour -eq 'unknown') {
        $code = 'UNKNOWN'
    }
    if ($colour -eq 'green') {
        $code = ''
    }
    # Without the mail address that some authorities have.
    $name = ($Issuer -replace '(^|,\s*)(E|EMAIL|EMAILADDRESS)=[^,]*', '').TrimStart(',', ' ')
    @{ colour = $colour; code = $code; values = @{ issuer = $name; host = $answering; status = $status } }
}

Function ConvertTo-ComparedText {
    <#
    .SYNOPSIS
    A text as people compare it: any dash, any case, any white space.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Text)

    (($Text -replace '[\u2010-\u2015\u2212]', '-') -replace '\s+', ' ').Trim().ToLowerInvariant()
}

Function Get-WebHost {
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Address)

    if ($Address -match '^(?i)https?://(?:[^/?#]*@)?([^/?#:]*)') {
        return $Matches[1].ToLowerInvariant()
    }
    ''
}

Export-ModuleMember -Function @('Get-PageIssuer', 'Get-PageLook', 'Get-WebHost')
