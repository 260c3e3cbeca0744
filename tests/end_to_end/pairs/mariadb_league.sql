== first
-- rows: select * from team order by id; select * from player order by id
create table team (id int not null auto_increment primary key, captain_id int null, name varchar(20));
create table player (id int not null auto_increment primary key, team_id int not null, nick varchar(20) not null, unique key tn (team_id, nick), constraint player_team foreign key (team_id) references team (id));
alter table team add constraint team_captain foreign key (captain_id) references player (id);
insert into team (name) values ('x'),('y');
insert into player (team_id,nick) values (1,'a'),(2,'b');
update team set captain_id = 1 where id = 1;
== second
-- was: table.squad team
-- was: table.player.columns.squad_id team_id
-- arrives: select id, captain_id, name from squad order by id; select * from player order by id
create table squad (id bigint not null auto_increment primary key, captain_id bigint null, name varchar(20) not null default '', motto varchar(99));
create table player (id bigint not null auto_increment primary key, squad_id bigint not null, nick varchar(40) not null, unique key tn (squad_id, nick), constraint player_squad foreign key (squad_id) references squad (id));
alter table squad add constraint team_captain foreign key (captain_id) references player (id);
insert into squad (name) values ('x'),('y');
insert into player (squad_id,nick) values (1,'a'),(2,'b');
update squad set captain_id = 1 where id = 1;
