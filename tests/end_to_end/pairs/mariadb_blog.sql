== first
-- rows: select id, name, email, role_id from users order by id; select * from posts order by id
create table roles (id bigint unsigned not null auto_increment primary key, name varchar(255) not null, created_at timestamp null, updated_at timestamp null, unique key roles_name_unique (name));
create table users (id bigint unsigned not null auto_increment primary key, name varchar(255) not null, email varchar(255) not null, role_id bigint unsigned null, email_verified_at timestamp null default null, remember_token varchar(100) default null, created_at timestamp null default null, updated_at timestamp null default null, unique key users_email_unique (email), key users_role_id_foreign (role_id), constraint users_role_id_foreign foreign key (role_id) references roles (id) on delete set null);
create table posts (id bigint unsigned not null auto_increment primary key, user_id bigint unsigned not null, title varchar(191) not null, body longtext not null, meta json null, key posts_user_id_index (user_id), constraint posts_user_id_foreign foreign key (user_id) references users (id) on delete cascade);
insert into roles (name) values ('a'),('b');
insert into users (name,email,role_id,created_at) values ('x','x@e',1,'2020-01-01'),('y','y@e',null,'2020-01-02');
insert into posts (user_id,title,body,meta) values (1,'t','b','{"a":1}'),(2,'u','c',null);
== second
-- was: table.users.columns.full_name name
-- was: table.users.columns.group_id role_id
-- was: table.articles posts
-- was: table.articles.columns.author_id user_id
-- arrives: select id, full_name, email, group_id from users order by id; select id, author_id, title, slug, meta from articles order by id
create table roles (id bigint unsigned not null auto_increment primary key, name varchar(255) not null, guard_name varchar(255) not null default 'web', created_at timestamp null, updated_at timestamp null, unique key roles_name_guard_name_unique (name, guard_name));
create table users (id bigint unsigned not null auto_increment primary key, full_name varchar(255) not null, email varchar(255) not null, group_id bigint unsigned null, email_verified_at timestamp null default null, remember_token varchar(100) default null, created_at timestamp null default null, updated_at timestamp null default null, deleted_at timestamp null default null, unique key users_email_unique (email), key users_group_id_foreign (group_id), constraint users_group_id_foreign foreign key (group_id) references roles (id) on delete set null);
create table articles (id bigint unsigned not null auto_increment primary key, author_id bigint unsigned not null, title varchar(191) not null, slug varchar(191) as (lower(replace(title,' ','-'))) stored, body longtext not null, meta json null, key articles_author_id_index (author_id), key articles_slug_index (slug), constraint articles_author_id_foreign foreign key (author_id) references users (id) on delete cascade);
insert into roles (name) values ('a'),('b');
insert into users (full_name,email,group_id,created_at) values ('x','x@e',1,'2020-01-01'),('y','y@e',null,'2020-01-02');
insert into articles (author_id,title,body,meta) values (1,'t','b','{"a":1}'),(2,'u','c',null);
